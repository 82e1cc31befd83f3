"""Runs over many domains: in bounded company, and gone on with after any end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.journal import Journal
from checks.many import listed
from dnsops.base.errors import ForUser


def test_a_file_of_domains(tmp_path: Path) -> None:
    file = tmp_path / "domains"
    file.write_text("# ours\nExample.org\n\njoe@example.net  # his\nexample.org.\nbücher.example\n")
    assert listed(file) == ("example.org", "example.net", "xn--bcher-kva.example")


@pytest.mark.parametrize(
    "text, where", [("example.org\na..b\n", "domains:2"), ("# nothing\n", "domains"), ("\xff", "domains")]
)
def test_what_is_no_list_of_domains_says_where(tmp_path: Path, text: str, where: str) -> None:
    file = tmp_path / "domains"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ForUser) as refused:
        listed(file)
    assert refused.value.where.endswith(where)


def test_a_journal_cut_anywhere_goes_on_with_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with Journal.opened(path) as journal:
        for number in range(3):
            journal.add(f"{number}.example.org", {"score": number})
    whole = path.read_bytes()
    lines = whole.split(b"\n")
    for end in range(len(lines[0]) + 1, len(whole) + 1):
        path.write_bytes(whole[:end])
        with Journal.opened(path) as journal:
            left = [f"{number}.example.org" for number in range(3) if f"{number}.example.org" not in journal.done]
            for domain in left:
                journal.add(domain, {"score": int(domain[0])})
            assert [result["score"] for result in journal.results()] == [0, 1, 2]
        assert path.read_bytes() == whole


@pytest.mark.parametrize("text", ["hello\n", json.dumps({"journal": "mailsrv check", "version": 2}) + "\n", "{"])
def test_what_is_no_journal_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "journal"
    path.write_text(text)
    with pytest.raises(ForUser), Journal.opened(path):
        pass
    assert path.read_text() == text
