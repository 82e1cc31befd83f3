"""The attack scripts of the project's tool box, where it lies beside the repository, against a port 25 and a submission port."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.mailsrv.receive.world import World, context

# the tool box is no part of the project: MAILSRV_TOOLS names it, else a folder beside ours is looked for
TOOLS = Path(os.environ.get("MAILSRV_TOOLS", "") or Path(__file__).parents[4] / "shared" / "tools")
SCRIPT = TOOLS / "attack" / "smtp_attack.py"
absent = pytest.mark.skipif(
    not SCRIPT.exists(), reason=f"the attack script is not at {SCRIPT}; MAILSRV_TOOLS may name it"
)


async def attack(port: int, *words: str) -> tuple[int, str]:
    """The script's exit status and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), "127.0.0.1", str(port), *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def attacks(world: World, *groups: str, user: str = "") -> list[tuple[int, str]]:
    """Several groups at once: most of their time they wait for a reply that should not come."""
    login = ("--user", user, "--password", "foobar") if user else ()
    async with world.open() as port:
        return list(await asyncio.gather(*(attack(port, "--groups", group, *login) for group in groups)))


@absent
def test_strangers_at_port_25_and_users_who_would_be_others(tmp_path: Path) -> None:
    async def all_at_once() -> list[tuple[int, str]]:
        strangers = attacks(World(tls=context(tmp_path)), "smuggle", "relay", "protocol", "tls", "bdat")
        users = attacks(World(tls=context(tmp_path), submission=True), "auth", user="user1@mail.test")
        return [outcome for outcomes in await asyncio.gather(strangers, users) for outcome in outcomes]

    for status, said in asyncio.run(all_at_once()):
        print(said)
        assert status == 0, said
        assert "error " not in said, said


@absent
def test_hostile_messages_hold_up_nobody(tmp_path: Path) -> None:
    for status, said in asyncio.run(attacks(World(tls=context(tmp_path)), "load")):
        print(said)
        assert status == 0, said
