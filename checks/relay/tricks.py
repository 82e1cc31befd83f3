"""The tricks, as values: recipients spelled so that a careless server relays, and endings at which a lenient one splits a message. Pure.

Standards: RFC 5321 4.1.2 (paths), 4.1.1.3 and appendix C (source routes), 4.1.1.4 and 2.3.8 (only CR LF . CR LF ends data); RFC 4954 5
(MAIL's AUTH parameter says nothing to strangers); RFC 3030 (BDAT has no end mark). Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from checks.relay.facts import Ending, Trick

OUTSIDE = "relay-test@example.com"  # nothing is ever sent there
MARK = "mailsrv check relay, a test that may be deleted:"  # of every subject, for whoever finds one


def tricks(domain: str, host: str, address: str, outside: str = OUTSIDE) -> Iterator[Trick]:
    """domain: of the server's mail.  host, address: its own name and address."""
    user, _, there = (part.encode() for part in outside.rpartition("@"))
    ours, name, far = domain.encode(), host.encode(), outside.encode()
    literal = b"[IPv6:" + address.encode() + b"]" if ":" in address else b"[" + address.encode() + b"]"
    plain = b"<" + far + b">"
    yield Trick("plain", plain)
    yield Trick("null sender", plain, b"<>")
    yield Trick("sender of our domain", plain, b"<postmaster@" + ours + b">")
    yield Trick("sender at our host", plain, b"<root@" + name + b">")
    yield Trick("sender at our address", plain, b"<root@" + literal + b">")
    yield Trick("sender localhost", plain, b"<root@localhost>")
    yield Trick("sender without a domain", plain, b"<root>")
    yield Trick("MAIL AUTH=", plain, b"<postmaster@" + ours + b"> AUTH=postmaster@" + ours)
    yield Trick("HELO is our host", plain, helo=name)
    yield Trick("HELO localhost", plain, helo=b"localhost")
    yield Trick("HELO is our address", plain, helo=literal)
    yield Trick("no brackets", far)
    yield Trick("trailing dot", b"<" + far + b".>")
    yield Trick("source route", b"<@" + ours + b":" + far + b">")
    yield Trick("two hops", b"<@" + ours + b",@" + name + b":" + far + b">")
    yield Trick("bang path", b"<" + there + b"!" + user + b">")
    yield Trick("percent without a domain", b"<" + user + b"%" + there + b">")
    yield Trick("quoted without a domain", b'<"' + far + b'">')
    yield Trick("two at signs", b"<" + far + b"@" + ours + b">", local=True)
    yield Trick("two recipients in one", b"<postmaster@" + ours + b">,<" + far + b">")
    yield Trick("after a login that failed", plain, login=True)
    for where, place in ((b"our domain", ours), (b"our host", name), (b"our address", literal)):
        at = where.decode()
        yield Trick(f"percent at {at}", b"<" + user + b"%" + there + b"@" + place + b">", local=True)
        yield Trick(f"bang at {at}", b"<" + there + b"!" + user + b"@" + place + b">", local=True)
        yield Trick(f"quoted at {at}", b'<"' + far + b'"@' + place + b">", local=True)
    yield Trick("percent twice", b"<" + user + b"%" + there + b"%" + ours + b"@" + ours + b">", local=True)
    yield Trick("route and percent", b"<@" + ours + b":" + user + b"%" + there + b"@" + ours + b">", local=True)


def unknown(domain: str, token: str) -> Trick:
    """The control: whether the server takes what nobody has."""
    return Trick("an address that nobody has", f"<nobody-{token}@{domain}>".encode(), local=True)


ENDINGS = (
    Ending("LF . LF", b"\n.\n"),
    Ending("LF . CR LF", b"\n.\r\n"),
    Ending("CR LF . LF", b"\r\n.\n"),
    Ending("CR . CR", b"\r.\r"),
    Ending("CR LF . CR", b"\r\n.\r"),
    Ending("CR . CR LF", b"\r.\r\n"),
    Ending("CR . LF", b"\r.\n"),
    Ending("LF . CR", b"\n.\r"),
    Ending("CR LF NUL . CR LF", b"\r\n\0.\r\n", bare=False),
    Ending("CR LF . NUL CR LF", b"\r\n.\0\r\n", bare=False),
    Ending("CR CR LF . CR CR LF", b"\r\r\n.\r\r\n"),
    Ending("CR LF . CR CR LF", b"\r\n.\r\r\n"),
    Ending("CR LF . SP CR LF", b"\r\n. \r\n", bare=False),
    Ending("CR LF . . CR LF", b"\r\n..\r\n", bare=False),
    Ending("CR LF . CR LF within BDAT", b"", bare=False),
)


def body(ending: Ending, box: str, outer: str, inner: str) -> bytes:
    """The whole content, without its true end: a message, the ending, and what would be a second one. outer, inner: their subjects."""
    cut = ending.data or b"\r\n.\r\n"
    inside = [
        b"MAIL FROM:<>", b"RCPT TO:<" + box.encode() + b">", b"DATA",
        b"From: <" + box.encode() + b">", b"Subject: " + inner.encode(), b"", b"If this came by itself, a message was smuggled.",
    ]  # fmt: skip
    head = f"From: <{box}>\r\nTo: <{box}>\r\nSubject: {outer}\r\n\r\nA self-test of this mail server: {ending.name}".encode()
    return head + cut + b"\r\n".join(inside)
