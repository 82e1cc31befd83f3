"""`mailsrv queue`, run as one runs it, on a store of SQLite."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from mailsrv.command import main
from mailsrv.commands.queue import queue
from mailsrv.message.digest import digest
from mailsrv.store.door import Hop, Message
from mailsrv.store.sqlite import SqliteStore

ROOT = click.Group("mailsrv", {"queue": queue})
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CONTENT = b"Subject: \x1b[31mhello\r\nFrom: a@us.org\r\n\r\nbody\r\n"


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "m.yml"
    file.write_text(f"hostname: mx.us.org\nstate: {{directory: {tmp_path}}}\n", encoding="utf-8")
    return str(file)


@pytest.fixture
def filled(tmp_path: Path, config: str) -> str:
    async def fill() -> None:
        store = SqliteStore(tmp_path / "store")
        hops = (Hop("x@example.net"), Hop("y@example.net", ("NOTIFY=NEVER",)), Hop("z@example.com"))
        await store.accept(Message(CONTENT, digest(CONTENT), NOON, (), hops, "a@us.org", ("ENVID=1",)))
        await store.close()

    asyncio.run(fill())
    return config


def run(capsys: pytest.CaptureFixture[str], config: str, *words: str) -> tuple[int, str, str]:
    status = main(("queue", *words, "--config", config), ROOT)
    out, err = capsys.readouterr()
    return status, out, err


def listed(capsys: pytest.CaptureFixture[str], config: str, *which: str) -> dict[str, object]:
    status, out, _ = run(capsys, config, "list", "--json", *which)
    assert status == 0
    return {row["recipient"]: row["next"] for row in json.loads(out)}


@pytest.mark.parametrize(
    "which,expected",
    [
        ((), {"x@example.net", "y@example.net", "z@example.com"}),
        (("@example.net",), {"x@example.net", "y@example.net"}),
        (("Z@example.com",), {"z@example.com"}),
        (("a@us.org",), {"x@example.net", "y@example.net", "z@example.com"}),
        (("z@example.com", "x@example.net"), {"x@example.net", "z@example.com"}),
        (("example.net",), set()),
        (("999999",), set()),
    ],
)
def test_list_and_whom_words_mean(
    capsys: pytest.CaptureFixture[str], filled: str, which: tuple[str, ...], expected: set[str]
) -> None:
    assert set(listed(capsys, filled, *which)) == expected


def test_people_get_a_table(capsys: pytest.CaptureFixture[str], filled: str) -> None:
    status, out, _ = run(capsys, filled, "list")
    assert (status, out.count("a@us.org")) == (0, 3)
    assert "Recipient" in out


def test_hold_retry_and_drop(capsys: pytest.CaptureFixture[str], filled: str) -> None:
    assert run(capsys, filled, "hold", "@example.net")[0] == 0
    held = listed(capsys, filled)
    assert {name for name, when in held.items() if when is None} == {"x@example.net", "y@example.net"}
    status, out, _ = run(capsys, filled, "retry", "x@example.net")
    assert (status, out.endswith("to x@example.net: will be tried now\n")) == (0, True)
    assert listed(capsys, filled)["x@example.net"] is not None
    assert run(capsys, filled, "drop", "y@example.net", "z@example.com")[0] == 0
    assert set(listed(capsys, filled)) == {"x@example.net"}


def test_show_tells_all_and_obeys_nothing(capsys: pytest.CaptureFixture[str], filled: str) -> None:
    status, out, _ = run(capsys, filled, "show", "y@example.net")
    assert status == 0
    assert "From: a@us.org" in out
    assert "\x1b" not in out
    _, out, _ = run(capsys, filled, "show", "y@example.net", "--json")
    (shown,) = json.loads(out)
    assert (shown["options"], shown["recipient_options"], shown["sender"]) == (
        ["ENVID=1"],
        ["NOTIFY=NEVER"],
        "a@us.org",
    )


@pytest.mark.parametrize("verb", ["show", "hold", "retry", "drop"])
def test_nobody_is_meant(capsys: pytest.CaptureFixture[str], filled: str, verb: str) -> None:
    status, _, err = run(capsys, filled, verb, "w@example.net")
    assert (status, "mailsrv queue list" in err) == (1, True)


def test_there_is_no_store(capsys: pytest.CaptureFixture[str], config: str) -> None:
    status, _, err = run(capsys, config, "list")
    assert (status, "there is no mail store" in err) == (1, True)
