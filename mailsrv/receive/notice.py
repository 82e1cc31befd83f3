"""The notice that a mail has arrived, for senders who asked for one: NOTIFY=SUCCESS. Pure.

Standards: RFC 3461 4.1 (NOTIFY), 6.2 (never for the null sender), RFC 3464 (its form, in mailsrv.message.dsn).
Recipients that an alias sends on elsewhere take their NOTIFY along; who delivers them in the end tells.
Fails by: None, when nobody asked or nobody can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailsrv.directory.accounts import Outcome as Found
from mailsrv.directory.accounts import Route
from mailsrv.message.digest import digest
from mailsrv.message.dsn import Fate, Outcome, Report, notification
from mailsrv.receive.letters import Envelope
from mailsrv.smtp.parameters import RcptOptions
from mailsrv.store.door import Hop, Message, Place

Asked = tuple[str, RcptOptions]  # a recipient who was delivered here, and what was asked for it


def arrived(
    envelope: Envelope, asked: Sequence[Asked], back: Route, content: bytes, sign: Callable[[bytes], bytes]
) -> Message | None:
    """The notice, ready to be accepted with the mail itself. `back`: where mail for its sender goes; `sign`: as our mail."""
    fates = tuple(
        Fate(recipient, Outcome.DELIVERED, "2.0.0", orcpt=options.orcpt, tried=envelope.when)
        for recipient, options in asked
        if "SUCCESS" in options.notify
    )
    text = notification(_report(envelope, fates, content)) if fates and envelope.sender else None
    if text is None:
        return None
    places, hops = _ways(back)
    if not places and not hops:
        return None
    text = sign(text)
    return Message(text, digest(text), envelope.when, places, hops)


def _report(envelope: Envelope, fates: tuple[Fate, ...], content: bytes) -> Report:
    options = envelope.options
    return Report(
        host=envelope.host,
        sender=str(envelope.sender or ""),
        fates=fates,
        now=envelope.when,
        token=f"{envelope.id}.arrived",
        content=content,
        received=envelope.when,
        envid=options.envid,
        full=options.ret == "FULL" if options.ret else None,
        utf8=options.smtputf8,
    )


def _ways(back: Route) -> tuple[tuple[Place, ...], tuple[Hop, ...]]:
    if back.outcome is Found.ELSEWHERE:
        return (), (Hop(back.address, ("NOTIFY=NEVER",)),)
    places = tuple(Place(delivery.account) for delivery in back.deliveries)
    return places, tuple(Hop(forward.address, ("NOTIFY=NEVER",)) for forward in back.forwards)
