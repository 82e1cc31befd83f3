"""The README's commands are ones that the command line takes, and its NixOS module is what is generated."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from mailsrv.command import root
from mailsrv.serving import unit
from playbooks.commands import deploy
from playbooks.finding import HERE, ours
from timers import nixos, units
from timers.table import JOBS

README = (HERE / "README.md").read_text()
PROGRAM = "/opt/mailsrv/current/bin/mailsrv"
LINES = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("mailsrv ")
]


@pytest.mark.parametrize("line", LINES)
def test_a_command_is_understood(line: str) -> None:
    _, *words = shlex.split(line)
    command: click.Command = root()
    if words[0] == "deploy":
        command, words = deploy, words[1:]
        if not words[0].startswith("-"):
            assert words[0] in {*ours(), "site"}
    while isinstance(command, click.Group):
        context = click.Context(command)
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    command.make_context("mailsrv", words)


def test_the_module_for_nixos_is_the_one_that_is_made() -> None:
    texts = {"mailsrv.service": unit.service([PROGRAM], "/etc/mailsrv/mailsrv.yml")}
    texts |= units.units(JOBS, units.place_of(None, PROGRAM, None))
    assert README.partition("```nix\n")[2].partition("```")[0] == nixos.module(texts)
