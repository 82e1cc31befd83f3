"""What would strangers say of a mail domain: the test of internet.nl, point for point, and what else keeps mail from arriving.

    mailsrv check [DOMAIN]...              all that can be seen from outside: `mail`, then `dane`; our own domains when none is named
    mailsrv check mail|dane|history DOMAIN     explain ID     and the others of `COMMANDS`

Each is imported when it is run. Exit status: 0 at 100 %, 1 with findings, 75 when nobody could be asked, 64 wrong usage.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec

import click

COMMANDS = {
    "mail": "internet.nl's test of mail domains, with its verdicts and points, and ours beside them",
    "dane": "DANE on every port: records, keys, days until something ends, when to announce the next key",
    "deliverability": "what a spam filter would say of a message, from 0 to 10",
    "echo": "whether a mail of ours goes out and its answer comes back",
    "health": "whether this host is well: ports, queue, disk, clock, certificates, timers, backups",
    "relay": "whether our server relays for strangers, or makes two messages of one",
    "mailbox": "whether a real mailbox works over IMAP",
    "explain": "what a check means, its standard, and how to mend it",
    "history": "what earlier checks found, and what changed since",
    "all": "`mail` and `dane` together, and of our own domains this host, too; the default",
}
DEFAULT = "all"


class Kinds(click.Group):
    """The kinds of checks. Words that name none are domains for `all`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in COMMANDS if find_spec(module(name)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = getattr(importlib.import_module(module(cmd_name)), "all_" if cmd_name == DEFAULT else cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101 - our own
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first not in ("--help", "-h") and first not in self.list_commands(ctx):
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Kinds"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


def module(name: str) -> str:
    """Where the command of a name is."""
    return f"checks.commands.{'everything' if name == DEFAULT else name}"


@click.command(name="check", cls=Kinds, options_metavar="", subcommand_metavar="[KIND] [DOMAIN]...")
def check() -> None:
    """What would strangers say of a mail domain?

    \b
    mailsrv check example.org                         all that can be seen from outside
    mailsrv check mail example.org --html mail.html   internet.nl's test, as a page
    mailsrv check explain tls_version
    """
