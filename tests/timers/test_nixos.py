"""The units in Nix's words: every line of the units is there, and strings and braces close."""

from __future__ import annotations

import re

import pytest

from mailsrv.serving import unit
from timers import nixos, units
from timers.table import JOBS

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
TEXTS = {"mailsrv.service": unit.service(["/opt/m"], "/etc/m.yml")} | units.units(JOBS, units.Place("/opt/m"))


@pytest.mark.parametrize(
    "text, nix",
    [("a", '"a"'), ('say "x"', r'"say \"x\""'), ("${x} $MAINPID", r'"\${x} $MAINPID"'), ("a\\b", r'"a\\b"')],
)
def test_a_string(text: str, nix: str) -> None:
    assert nixos.string(text) == nix


def test_strings_and_braces_close_and_every_statement_ends() -> None:
    text = nixos.module(TEXTS)
    bare = STRING.sub("s", text)
    assert '"' not in bare
    depth = 0
    for line in bare.splitlines():
        depth += line.count("{") - line.count("}")
        assert depth >= 0
        assert line.startswith("#") or line.rstrip().endswith((";", "{", "}", ":"))
    assert depth == 0
    assert bare.count("[") == bare.count("]")


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_setting_of_a_unit_is_there(name: str) -> None:
    text = nixos.module({name: TEXTS[name]})
    settings = (
        TEXTS[name].partition("[Service]" if name.endswith("service") else "[Timer]")[2].partition("[Install]")[0]
    )
    for line in settings.splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            assert f" {key} = " in text
            assert nixos.string(value) in text
