"""What would strangers say of a mail domain: the test of internet.nl, point for point, and what else keeps mail from arriving.

Exit status: 0 at 100 %, 1 with findings, 75 when nobody could be asked, 64 wrong usage.
"""

from __future__ import annotations

import click


@click.group(name="check")
def check() -> None:
    """What would strangers say of a mail domain?"""


def _register() -> None:
    from checks.commands.mail import mail

    check.add_command(mail)


_register()
