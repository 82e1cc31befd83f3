"""A message to be scored when nobody has one at hand: plain words and a page, as a good newsletter's author would write it. Pure."""

from __future__ import annotations

from datetime import datetime

from mailsrv.message import compose

SUBJECT = "A message to be scored"
TEXT = """Hello,

this message was made by `mailsrv check deliverability`, so that its way can be judged: who signs it, from where it is sent,
and how receivers see that. It wants nothing of you.

Goodbye.
"""


def generate(sender: str, recipient: str, now: datetime, token: str) -> bytes:
    """token: something that never comes twice."""
    fields = [("From", compose.mailbox("", sender)), ("To", compose.mailbox("", recipient)), ("Subject", SUBJECT)]
    identifier = compose.message_id(token, sender.rpartition("@")[2])
    page = f'<html lang="en"><body>{"".join(f"<p>{block}</p>" for block in TEXT.split(chr(10) * 2))}</body></html>\n'
    html = compose.text_part(page).replace(b"text/plain", b"text/html", 1)
    parts = [compose.text_part(TEXT), html]
    entity = compose.multipart("multipart/alternative", compose.boundary(token, parts), parts)
    return compose.message(fields, now, identifier, entity)
