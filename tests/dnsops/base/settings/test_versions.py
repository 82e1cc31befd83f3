"""An old configuration is read as it was meant, and brought up to date with nothing else changed; a newer one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnsops.base import settings
from dnsops.base.errors import Misconfigured
from dnsops.base.settings import versions
from dnsops.base.settings.versions import Renamed, migrated

FILE = Path("m.yml")
TABLE = [
    # before, after
    ("hostname: a.example.org\n", "version: 2\nhostname: a.example.org\n"),
    ("# mine\n\nhostname: a.example.org  # the name\n", "# mine\n\nversion: 2\nhostname: a.example.org  # the name\n"),
    ("hostname: a.example.org\nversion: 1 # old\n", "hostname: a.example.org\nversion: 2 # old\n"),
    ("{hostname: a.example.org}\n", "{version: 2, hostname: a.example.org}\n"),
    ("  hostname: a\n  user: b\n", "  version: 2\n  hostname: a\n  user: b\n"),
    ("---\nhostname: a\n", "---\nversion: 2\nhostname: a\n"),
    ("", "version: 2\n"),
    ("# nothing yet", "# nothing yet\nversion: 2\n"),
    (
        "checks:\n  # for the lab\n  'global_routes_only':   false   # why\n  budget: 5s\n",
        "version: 2\nchecks:\n  # for the lab\n  local:   true   # why\n  budget: 5s\n",
    ),
    ("checks: {budget: 5s, global_routes_only: TRUE}\n", "version: 2\nchecks: {budget: 5s, local: false}\n"),
    ("checks:\n  global_routes_only:\n", "version: 2\nchecks:\n  local:\n"),
    ("checks: {local: true}\n", "version: 2\nchecks: {local: true}\n"),
]


@pytest.mark.parametrize(("before", "after"), TABLE)
def test_only_what_must_change_changes(before: str, after: str) -> None:
    moved = migrated(before.encode(), FILE)
    assert (moved.text, moved.version) == (after, 1)
    assert migrated(after.encode(), FILE) == versions.Migrated(after, 2, ()), "the second time there is nothing to do"


WRONG = [
    ("version: 3\n", "m.yml:1: version: a newer mailsrv wrote this file (version 3, and this program knows 2 at most)"),
    ("hostname: a\nversion: 99999\n", "m.yml:2: version: a newer mailsrv wrote this file (version 99999"),
    ("version: two\n", "m.yml:1: version: not a version - write 2, or leave it out for 1"),
    ("version: 0\n", "m.yml:1: version: not a version"),
    ("version: true\n", "m.yml:1: version: not a version"),
    ("version: [2]\n", "m.yml:1: version: not a version"),
    ("version:\n", "m.yml:1: version: is empty - write 2"),
    (
        "checks:\n  local: true\n  global_routes_only: false\n",
        "m.yml:3: checks.global_routes_only: is there beside `local`, its new name - keep `local`",
    ),
    ("checks: {global_routes_only: perhaps}\n", "m.yml:1: checks.global_routes_only: cannot be carried over"),
]


@pytest.mark.parametrize(("text", "sentence"), WRONG)
def test_what_cannot_be_migrated_is_one_clear_line(text: str, sentence: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        migrated(text.encode(), FILE)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_steps_are_walked_one_after_the_other_from_where_the_file_is() -> None:
    steps = (
        (Renamed(("a",), "b", lambda old: None if old else old, "b says more"),),
        (Renamed(("b",), "c", lambda old: old * 2, "c is twice b"),),
    )
    assert migrated(b"version: 2\nb: 7 # seven\n", FILE, steps).text == "version: 3\nc: 77 # seven\n"
    assert migrated(b"version: 2\na: 7\n", FILE, steps).text == "version: 3\na: 7\n", "version 2 had no `a` to rename"


def test_an_old_file_is_read_as_it_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "m.yml"
    file.write_text("hostname: a.example.org\nchecks:\n  global_routes_only: false\n")
    assert settings.load(file).checks.local
    file.write_text("hostname: a.example.org\nchecks:\n  global_routes_only: false\n  nonsense: 1\n")
    with pytest.raises(settings.Flaws, match=r":4: checks\.nonsense: there is no such setting"):
        settings.load(file)
    file.write_text("version: 2\nhostname: a.example.org\nchecks:\n  global_routes_only: false\n")
    with pytest.raises(settings.Flaws, match=r":4: checks\.global_routes_only: there is no such setting"):
        settings.load(file)


def test_a_newer_file_is_not_read_at_all(tmp_path: Path) -> None:
    file = tmp_path / "m.yml"
    file.write_text("version: 3\nhostnames: [a.example.org]\n")
    with pytest.raises(settings.Flaws) as caught:
        settings.load(file)
    assert str(caught.value) == (
        f"{file}:1: version: a newer mailsrv wrote this file (version 3, and this program knows 2 at most)"
        " - install that again, or put the copy back that `migrate` kept"
    )
