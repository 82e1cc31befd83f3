"""The YAML reader: bounded, exact about lines, and without YAML's traps."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnsops.base.errors import Misconfigured
from dnsops.base.settings.tree import Reference, octets, parse

FILE = Path("/etc/m.yml")

READ = [
    ("", {}),
    ("---\n", {}),
    ("a: no\nb: off\nc: Yes", {"a": "no", "b": "off", "c": "Yes"}),
    ("a: true\nb: False", {"a": True, "b": False}),
    ("a: 22:25\nb: 010\nc: 1_000\nd: 0x10", {"a": "22:25", "b": 10, "c": "1_000", "d": "0x10"}),
    ("a: 1.5\nb: 2001-01-01\nc: 1e3", {"a": 1.5, "b": "2001-01-01", "c": "1e3"}),
    ("a:\nb: ~\nc: 1", {"c": 1}),
    ("a: [x, {b: c}]", {"a": ["x", {"b": "c"}]}),
    ("'<<': text", {"<<": "text"}),
    ("a: " + "9" * 30, {"a": "9" * 30}),
    ("a: !file x", {"a": Reference("file", "/etc/x", "")}),
    ("a: !file /x/y", {"a": Reference("file", "/x/y", "")}),
    ("a: !env X\nb: !credential c", {"a": Reference("env", "X", ""), "b": Reference("credential", "c", "")}),
    ("\ufeffa: b", {"a": "b"}),
]


@pytest.mark.parametrize("text, values", READ, ids=[text[:30] for text, _ in READ])
def test_values(text: str, values: dict[str, object]) -> None:
    assert parse(text.encode(), FILE).values == values


REFUSED = [
    ("a: 1\nb: 2\na: 3", "/etc/m.yml:3: a: given twice, first on line 1"),
    ("x:\n  a: 1\n  a: 3", "/etc/m.yml:3: x.a: given twice, first on line 2"),
    ("a: &x 1\nb: *x", "/etc/m.yml:1: anchors and aliases are not read here"),
    ("a: 1\nb: *x", "/etc/m.yml:2: anchors and aliases"),
    ("a:\n  <<: {b: 1}", "/etc/m.yml:2: a: merge keys (<<) are not read here"),
    ("a: [1, 2", "/etc/m.yml:1: not YAML"),
    ("a: b\n\tc: d", "/etc/m.yml:2: not YAML"),
    ("- a", "/etc/m.yml:1: not `key: value` lines"),
    ("just text", "/etc/m.yml:1: not `key: value` lines"),
    ("a: 1\n---\nb: 1", "/etc/m.yml:2: not YAML"),
    (
        "a: !!python/object:os.system x",
        "/etc/m.yml:1: a: the tag tag:yaml.org,2002:python/object:os.system is not known",
    ),
    ("a: !!binary x", "/etc/m.yml:1: a: the tag"),
    ("a: !fil x", "/etc/m.yml:1: a: the tag !fil is not known - a secret is !file PATH"),
    ("a: !file {b: c}", "/etc/m.yml:1: a: the tag !file is not known"),
    ("a: !file", "/etc/m.yml:1: a: !file names nothing"),
    ("[a, b]: 1", "/etc/m.yml:1: a key must be one word"),
    ("a: " + "[" * 60 + "]" * 60, "/etc/m.yml:1: more than 50 levels deep"),
    ("[" * 500_000, "/etc/m.yml:1: more than 50 levels deep"),
    ("{a: " * 100_000, "/etc/m.yml:1: more than 50 levels deep"),
    ("a:\n" + "- x\n" * 10_001, "more than 10000 values"),
    ("a: \x00b", "/etc/m.yml: not YAML"),
]


@pytest.mark.parametrize("text, beginning", REFUSED, ids=[text[:30] for text, _ in REFUSED])
def test_refusals(text: str, beginning: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        parse(text.encode(), FILE)
    assert beginning in str(caught.value)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(Misconfigured, match=r"m.yml:2: not UTF-8 text"):
        parse(b"a: b\nc: \xff", FILE)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(b"#" * ((1 << 20) + 1))
    for file, what in ((tmp_path / "none", "no such file"), (tmp_path, "Is a directory"), (big, "larger than")):
        with pytest.raises(Misconfigured, match=what):
            parse(octets(file), file)


def test_a_file_cut_anywhere_is_refused_or_read_but_never_a_bug() -> None:
    text = (
        b"hostname: mx1.example.org\ndns: {provider: cloudflare, token: !file /t}\naccounts:\n  - name: 'u\xc3\xbc'\n"
    )
    outcomes = {_outcome(text[:end]) for end in range(len(text))}
    assert outcomes == {"read", "refused at /etc/m.yml"}


def _outcome(text: bytes) -> str:
    try:
        parse(text, FILE)
    except Misconfigured as error:
        return "refused at " + str(error).partition(":")[0]
    return "read"


def test_lines_are_those_of_the_file() -> None:
    tree = parse(b"# head\na:\n  b:\n    - c: 1\n      d: 2\n", FILE)
    assert tree.where(("a", "b", 0, "d")) == "/etc/m.yml:5: a.b[0].d"
    assert tree.where(("a", "b", 0, "missing")) == "/etc/m.yml:4: a.b[0].missing"
    assert tree.where(("zzz",)) == "/etc/m.yml:1: zzz"
