"""The small world with all of trust in it: it judges, signs for mail.test with two keys, rewrites senders, and has an echo."""

from __future__ import annotations

from typing import Any

from mailsrv.auth.decide import Rules
from mailsrv.receive.echoing import Echoing
from mailsrv.receive.outgoing import Outgoing
from mailsrv.receive.returning import Rewritten
from mailsrv.receive.stations import Stations
from tests.mailsrv.auth.signers import signer
from tests.mailsrv.receive.judges import judge, mail_from
from tests.mailsrv.receive.world import World, codes, sent

ECHO = "echo@mail.test"
SECRET = b"0123456789abcdef"


def world(rules: Rules | None = None, **more: Any) -> World:
    """One that judges, signs for mail.test, and rewrites senders."""
    made = World(judging=judge(rules), outgoing=outgoing(), **more)
    made.stations = Stations({ECHO: Echoing("mx.mail.test", (ECHO,), made.outgoing, made.log, lambda: "token")})
    return made


def outgoing() -> Outgoing:
    keys = {"mail.test": (signer("rsa", "mail.test"), signer("ed25519", "mail.test"))}
    paths = Rewritten((SECRET,), "", {"mail.test"})
    return Outgoing("mx.mail.test", lambda domain: keys.get(domain, ()), paths=paths)


def arrive(world: World, domain: str, *recipients: str, content: bytes = b"", **more: Any) -> str:
    """The last reply to mail of ann@DOMAIN."""
    to = [f"<{recipient}@mail.test>" for recipient in recipients or ("user1",)]
    return codes(sent(world, f"<ann@{domain}>", to, content or mail_from(domain), **more))[-1]
