"""The way in from other servers: imap, dovecot, stalwart; and export, the way out.

Each looks first with --dry-run: what would be taken, what cannot be, and why; exit status 2 when there is something to do.
With --json one document: `imap` mailboxes[] of name, source, found, copied, there, failed, here, missing, numbered; problems[];
`dovecot` and `stalwart` taken[] of what, which, to; left[] of where, why; done[]; `export`
accounts[] of account, found, copied; aliases, dkim[], left[].
Exit status: 0 all is here, 1 something is not, and which; 2 --dry-run: there is something to do; 75 the same command again later.
"""

from __future__ import annotations

import click

from mailsrv.commands.moving_dovecot import dovecot
from mailsrv.commands.moving_export import export
from mailsrv.commands.moving_imap import imap
from mailsrv.commands.moving_stalwart import stalwart


@click.group()
def move() -> None:
    """The way in from other servers. Nothing that is there is ever overwritten; run again, it copies nothing twice."""


move.add_command(dovecot)
move.add_command(export)
move.add_command(imap)
move.add_command(stalwart)
