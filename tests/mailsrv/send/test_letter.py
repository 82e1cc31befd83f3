"""What reaches the wire, and what cannot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailsrv.send.letter import Letter, Recipient, rcpt, sayable, stuffed, unfit_address
from mailsrv.send.offers import Offers
from mailsrv.send.reply import Reply

SIMPLE = b"Subject: x\r\n\r\nhello\r\n"
EIGHT = "Subject: x\r\n\r\nhällo\r\n".encode()
WIDE = "Subject: hällo\r\n\r\nx\r\n".encode()


def offers(*lines: str) -> Offers:
    return Offers.of(Reply(250, ("mx.example.org greets", *lines)))


ALL = offers("PIPELINING", "SIZE 1000", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS")
BARE = offers()


@pytest.mark.parametrize(
    "content,wire",
    [
        (b"", b".\r\n"),
        (b"a\r\n", b"a\r\n.\r\n"),
        (b"a", b"a\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
        (b"a\r\n.\r\nMAIL FROM:<x>\r\n", b"a\r\n..\r\nMAIL FROM:<x>\r\n.\r\n"),
        (b"a\r\n..b\r\n.", b"a\r\n...b\r\n..\r\n.\r\n"),
    ],
)
def test_dots_are_stuffed(content: bytes, wire: bytes) -> None:
    assert stuffed(content) == wire


@given(st.lists(st.sampled_from([b".", b"\r\n", b"a", b"..", b"\r\n.\r\n", b"b.c"])).map(b"".join))
def test_whatever_is_in_it_the_first_lonely_dot_is_the_end_and_the_content_comes_back(content: bytes) -> None:
    wire = b"\r\n" + stuffed(content)
    assert wire.find(b"\r\n.\r\n") == len(wire) - 5
    back = wire[: -len(b".\r\n")].replace(b"\r\n..", b"\r\n.")[2:]
    assert back in (content, content + b"\r\n")


@pytest.mark.parametrize(
    "middle",
    [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r.\n", b"\n.\r", b"\0.", b"\r\r\n", b"\r\n\n", b"x\ry", b"x\ny"],
)  # fmt: skip
def test_no_other_end_of_line_ever_leaves(middle: bytes) -> None:
    """S-EGR: what could end the message early elsewhere is not sent at all."""
    letter = Letter.of("a@example.org", (), b"Subject: x\r\n\r\n" + middle + b"\r\n")
    verdict = letter.unfit(ALL, True, True)
    assert (verdict and verdict.code, letter.body) == ("5.6.0", b"")


@pytest.mark.parametrize(
    "content,options,peer,code",
    [
        (SIMPLE, (), BARE, None),
        (SIMPLE, ("BODY=8BITMIME", "SMTPUTF8"), BARE, None),  # it was asked for and is not needed
        (EIGHT, (), offers("8BITMIME"), None),
        (EIGHT, (), BARE, "5.6.3"),
        (EIGHT, (), offers("SMTPUTF8"), None),
        (WIDE, ("SMTPUTF8",), ALL, None),
        (WIDE, ("SMTPUTF8",), offers("8BITMIME"), "5.6.9"),
        (WIDE, (), offers("8BITMIME"), None),  # not declared: old software's 8-bit header
        (b"x" * 2000 + b"\r\n", (), offers("SIZE 1000"), "5.3.4"),
        (b"x" * 2000 + b"\r\n", (), offers("SIZE"), None),
        (b"x" * 2000 + b"\r\n", (), offers("SIZE 0"), None),
        (SIMPLE, ("REQUIRETLS",), offers("SIZE"), "5.7.30"),
        (SIMPLE, ("requiretls",), ALL, None),
    ],
)
def test_what_a_peer_must_offer(content: bytes, options: tuple[str, ...], peer: Offers, code: str | None) -> None:
    verdict = Letter.of("a@example.org", options, content).unfit(peer, True, True)
    assert (verdict and verdict.code) == code


@pytest.mark.parametrize("encrypted,verified", [(False, False), (True, False)])
def test_requiretls_needs_tls_that_is_proven(encrypted: bool, verified: bool) -> None:
    verdict = Letter.of("a@example.org", ("REQUIRETLS",), SIMPLE).unfit(ALL, encrypted, verified)
    assert verdict is not None
    assert verdict.code == "5.7.10"


@pytest.mark.parametrize(
    "address,peer,code",
    [
        ("a@example.org", BARE, None),
        ("a@bücher.example", BARE, None),  # the domain alone has A-labels
        ("ä@example.org", BARE, "5.6.7"),
        ("ä@example.org", ALL, None),
        ('"a b"@example.org', BARE, None),
        ("a b@example.org", BARE, "5.1.3"),
        ("a@example.org> NOTIFY=NEVER", ALL, "5.1.3"),
        ("a@example.org\r\nDATA", ALL, "5.1.3"),
        ('"a\nb"@example.org', ALL, "5.1.3"),
    ],
)
def test_addresses(address: str, peer: Offers, code: str | None) -> None:
    verdict = unfit_address(address, peer)
    assert (verdict and verdict.code) == code


@pytest.mark.parametrize(
    "sender,options,peer,line",
    [
        ("", (), BARE, b"MAIL FROM:<>\r\n"),
        ("a@b.org", (), BARE, b"MAIL FROM:<a@b.org>\r\n"),
        ("a@bücher.example", (), BARE, b"MAIL FROM:<a@xn--bcher-kva.example>\r\n"),
        ("a@b.org", ("RET=HDRS", "ENVID=x"), BARE, b"MAIL FROM:<a@b.org>\r\n"),
        ("a@b.org", ("RET=HDRS", "ENVID=x", "AUTH=<>"), offers("DSN"), b"MAIL FROM:<a@b.org> RET=HDRS ENVID=x\r\n"),
        ("a@b.org", ("ENVID=x\r\nRSET",), offers("DSN"), b"MAIL FROM:<a@b.org>\r\n"),
        ("a@b.org", (), offers("SIZE 99999", "8BITMIME"), b"MAIL FROM:<a@b.org> SIZE=21 BODY=7BIT\r\n"),
        ("ä@b.org", (), offers("SMTPUTF8"), "MAIL FROM:<ä@b.org> SMTPUTF8\r\n".encode()),
        ("a@b.org", ("REQUIRETLS",), offers("REQUIRETLS"), b"MAIL FROM:<a@b.org> REQUIRETLS\r\n"),
    ],
)
def test_the_mail_line(sender: str, options: tuple[str, ...], peer: Offers, line: bytes) -> None:
    assert Letter.of(sender, options, SIMPLE).mail(peer, ["x@example.org"]) == line


@pytest.mark.parametrize(
    "options,peer,line",
    [
        ((), ALL, b"RCPT TO:<a@b.org>\r\n"),
        (("NOTIFY=SUCCESS,DELAY", "ORCPT=rfc822;A@b.org"), ALL, b"RCPT TO:<a@b.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;A@b.org\r\n"),
        (("NOTIFY=SUCCESS",), BARE, b"RCPT TO:<a@b.org>\r\n"),
        (("NOTIFY=NEVER RET=FULL", "X=1"), ALL, b"RCPT TO:<a@b.org>\r\n"),
    ],
)  # fmt: skip
def test_the_rcpt_line(options: tuple[str, ...], peer: Offers, line: bytes) -> None:
    assert rcpt(Recipient(1, "a@b.org", options), peer) == line


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_address_makes_two_lines_or_leaves_its_brackets(local: str, domain: str) -> None:
    address = f"{local}@{domain}"
    if sayable(address):
        line = rcpt(Recipient(1, address), ALL)
        assert line.count(b"\n") == line.count(b"\r") == 1
        if not local.startswith('"'):
            assert line.count(b">") == 1


@pytest.mark.parametrize(
    "lines,recipients,mails,mechanisms",
    [
        ((), 100, 100, set()),
        (("LIMITS RCPTMAX=10 MAILMAX=2",), 10, 2, set()),
        (("limits rcptmax=0 mailmax=x",), 1, 100, set()),
        (("LIMITS RCPTMAX=99999",), 100, 100, set()),
        (("AUTH PLAIN login",), 100, 100, {"PLAIN", "LOGIN"}),
        (("AUTH=LOGIN",), 100, 100, {"LOGIN"}),
    ],
)
def test_offers_are_read(lines: tuple[str, ...], recipients: int, mails: int, mechanisms: set[str]) -> None:
    found = offers(*lines)
    assert (found.recipients, found.mails, set(found.mechanisms)) == (recipients, mails, mechanisms)


@pytest.mark.parametrize(
    "header,options,waived",
    [
        (b"TLS-Required: No\r\n", (), True),
        (b"tls-required:\r\n  nO \r\n", (), True),
        (b"TLS-Required: No\r\n", ("REQUIRETLS",), False),  # RFC 8689 5: the stronger word counts
        (b"TLS-Required: No\r\nTLS-Required: No\r\n", (), False),
        (b"TLS-Required: Yes\r\n", (), False),
        (b"TLS-Required:\r\n", (), False),
        (b"X-TLS-Required: No\r\n", (), False),
        (b"X: y\r\n TLS-Required: No\r\n", (), False),
        (b"X: y\r\n\r\nTLS-Required: No\r\n", (), False),
    ],
)
def test_tls_required_no(header: bytes, options: tuple[str, ...], waived: bool) -> None:
    """RFC 8689 5."""
    assert Letter.of("a@b.c", options, header + b"Subject: x\r\n\r\nhello\r\n").waives_tls is waived
