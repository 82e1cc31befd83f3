import asyncio
import re
import ssl
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.base.errors import Misused
from dnsops.certs import dialogue
from dnsops.certs.chain import from_pem
from dnsops.certs.line import LONGEST_LINE, MOST_LINES
from dnsops.certs.wire import PORTS, How, how_for, show, show_all
from tests.dnsops.certs.making import DAY, HOST, NOW, ecdsa, rsa_key
from tests.dnsops.certs.servers import IMAP, POP3, SIEVE, SMTP, context, listening, speaking

TLS12 = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
TLS13 = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)


async def silent(reader, writer):
    await reader.read()


def seen(serve, how, tls=None, timeout=5.0, address="127.0.0.1", look=show):
    async def run():
        async with listening(serve, tls, address) as port:
            return await look(HOST, address, port, how, timeout)

    return asyncio.run(run())


@pytest.mark.parametrize("script, how", [(SMTP, How.SMTP), (IMAP, How.IMAP), (POP3, How.POP3), (SIEVE, How.SIEVE)])
def test_the_chain_behind_each_greeting(script, how, pair, tmp_path):
    shown = seen(speaking(script, context(tmp_path, pair)), how)
    assert shown.error == ""
    assert shown.chain.certificates == from_pem(pair[0], "").certificates


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("versions", [TLS12, TLS13])
def test_tls_from_the_first_byte_in_both_families_and_versions(pair, tmp_path, versions, address):
    shown = seen(silent, How.IMPLICIT, context(tmp_path, pair, versions=versions), address=address)
    assert shown.chain.certificates == from_pem(pair[0], "").certificates


def test_what_no_browser_would_trust_is_shown_all_the_same(ca, tmp_path):
    """Self-made, expired, for another name, TLS 1.0 with its SHA-1: a record can still be checked against it."""
    odd = ca.pair(["other.example"], key=rsa_key(), start=NOW - 9 * DAY, end=NOW - DAY)
    tls = context(tmp_path, odd)
    tls.set_ciphers("ALL:@SECLEVEL=0")
    tls.options &= ~(ssl.OP_NO_TLSv1 | ssl.OP_NO_TLSv1_1)
    tls.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        tls.maximum_version = ssl.TLSVersion.TLSv1
    assert seen(silent, How.IMPLICIT, tls).chain.names == ("other.example",)


def test_the_server_is_asked_for_the_host_and_left_politely(ca, pair, tmp_path):
    """SNI chooses the certificate; EHLO carries an address literal; QUIT ends it."""
    (tmp_path / "a").mkdir()
    default, right, names, heard = context(tmp_path / "a", ca.pair(["x.example"])), context(tmp_path, pair), [], []

    def choose(connection, name, _):
        names.append(name)
        connection.context = right

    default.sni_callback = choose
    shown = seen(speaking(SMTP, default, heard), How.SMTP)
    assert shown.chain.names == (HOST,)
    assert names == [HOST]
    assert heard == [b"EHLO [127.0.0.1]\r\n", b"STARTTLS\r\n", b"QUIT\r\n"]


def test_a_server_with_two_certificates_is_seen_with_both(ca, tmp_path):
    pairs = ca.pair(key=rsa_key()), ca.pair(key=ecdsa())
    both = {from_pem(chain, "").certificates[0] for chain, _ in pairs}
    shown = seen(speaking(SMTP, context(tmp_path, *pairs)), How.SMTP, look=show_all)
    assert {one.chain.certificates[0] for one in shown} == both
    alone = seen(speaking(SMTP, context(tmp_path, pairs[0])), How.SMTP, look=show_all)
    assert len(alone) == 1


def say(*chunks, then=silent):
    async def serve(reader, writer):
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        await then(reader, writer)

    return serve


async def close(reader, writer):
    return


async def drip(reader, writer):
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.05)


async def endless_line(reader, writer):
    while True:
        writer.write(b"220-" + b"x" * 1000)
        await writer.drain()


async def endless_lines(reader, writer):
    while True:
        writer.write(b"220-more\r\n" * 50)
        await writer.drain()


async def endless_handshake(reader, writer):
    """Well-formed TLS records of a handshake message that never ends."""
    writer.write(b"\x16\x03\x03\x40\x00\x02\xff\xff\xff" + b"\0" * 16380)
    while True:
        writer.write(b"\x16\x03\x03\x40\x00" + b"\0" * 16384)
        await writer.drain()


HOSTILE = {
    "never answers": (silent, How.SMTP, "no answer within 0.7 s while waiting for the greeting"),
    "never answers in TLS": (silent, How.IMPLICIT, "no answer within 0.7 s while waiting in the TLS handshake"),
    "a byte now and then": (drip, How.SMTP, "no answer within"),
    "an endless line": (endless_line, How.SMTP, f"a line longer than {LONGEST_LINE} bytes"),
    "endless lines": (endless_lines, How.SMTP, f"more than {MOST_LINES} lines"),
    "endless sieve": (say(b'"X"\r\n' * 500), How.SIEVE, f"more than {MOST_LINES} lines"),
    "closes at once": (close, How.SMTP, "closed the connection while we waited for the greeting"),
    "closes in TLS": (close, How.IMPLICIT, "closed the connection in the TLS handshake|reset"),
    "garbage": (say(b"\0\xff\x1b[31m\n"), How.SMTP, r"it greets with '\\\\x00"),
    "garbage in TLS": (say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), How.IMPLICIT, "the TLS handshake failed"),
    "too busy": (say(b"421 4.3.2 later\r\n"), How.SMTP, "it greets with '421 4.3.2 later'"),
    "no STARTTLS": (say(b"220 x\r\n250-x\r\n250 SIZE\r\n"), How.SMTP, "does not offer STARTTLS"),
    "refuses STARTTLS": (
        say(b"220 x\r\n250-x\r\n250 starttls\r\n454 4.7.0 no\r\n"),
        How.SMTP,
        "refuses STARTTLS: '454",
    ),
    "goes on in plain text": (
        say(b"220 x\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n250 ha\r\n"),
        How.SMTP,
        "goes on in plain",
    ),
    "authenticated already": (say(b"* PREAUTH hi\r\n"), How.IMAP, "it greets with"),
    "refuses in IMAP": (say(b"* OK\r\na BAD what\r\n"), How.IMAP, "refuses STARTTLS"),
    "refuses in POP3": (say(b"+OK\r\n-ERR what\r\n"), How.POP3, "refuses STLS"),
    "no STARTTLS in sieve": (say(b'"SIEVE" "x"\r\nOK\r\n'), How.SIEVE, "does not offer STARTTLS"),
    "refuses in sieve": (say(b'"STARTTLS"\r\nOK\r\nNO "what"\r\n'), How.SIEVE, "refuses STARTTLS"),
    "an endless handshake": (endless_handshake, How.IMPLICIT, "the TLS handshake failed|more than"),
    "an alert": (say(b"\x15\x03\x03\x00\x02\x02\x28"), How.IMPLICIT, "the TLS handshake failed .*handshake failure"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_peer_becomes_a_sentence(case):
    serve, how, says = HOSTILE[case]
    shown = seen(serve, how, timeout=0.7)
    assert shown.chain is None
    assert re.search(says, shown.error), shown.error
    assert shown.error.isprintable()


@pytest.mark.parametrize(
    "host, address, port, how, says",
    [
        (HOST, "127.0.0.1", 1, How.SMTP, "refused while connecting"),
        (HOST, "mx1.example.org", 25, None, "cannot be asked"),
        (HOST, "127.0.0.1", 8443, None, "how this port speaks before TLS is not known"),
        (HOST, "127.0.0.1", 70000, How.SMTP, "cannot be asked|port"),
        ("", "", 25, None, "cannot be asked"),
    ],
)
def test_what_cannot_be_asked_becomes_a_sentence(host, address, port, how, says):
    shown = asyncio.run(show(host, address, port, how, 2))
    assert shown.chain is None
    assert re.search(says, shown.error), shown.error


@pytest.mark.parametrize("host", ["x" * 300 + ".example", ".example.org", "a..b", "ü" * 70, "a\0b"])
def test_a_name_that_sni_cannot_carry_is_no_crash(host, pair, tmp_path):
    async def run():
        async with listening(silent, context(tmp_path, pair)) as port:
            return await show(host, "127.0.0.1", port, How.IMPLICIT, 2)

    shown = asyncio.run(run())
    assert bool(shown.chain) is not bool(shown.error)


def test_hundreds_at_once(pair, tmp_path):
    """Two hundred probes together; the CPU each takes is printed, not asserted."""

    async def run():
        async with listening(speaking(SMTP, context(tmp_path, pair))) as port:
            return await asyncio.gather(*(show(HOST, "127.0.0.1", port, How.SMTP, 30) for _ in range(200)))

    began = time.process_time()
    shown = asyncio.run(run())
    print(f"{(time.process_time() - began) * 5:.1f} ms CPU each, the server's included")
    assert all(one.chain for one in shown), {one.error for one in shown}


def test_every_port_of_the_table_has_its_way():
    assert all(how_for(port) is how for port, how in PORTS.items())
    assert how_for(8443, "implicit") is How.IMPLICIT
    assert how_for(25, "IMAP") is How.IMAP
    for port, word in ((25, "ldap"), (389, ""), (0, "")):
        with pytest.raises(Misused):
            how_for(port, word)


@pytest.mark.parametrize("talk", [dialogue.smtp, dialogue.imap, dialogue.pop3, dialogue.sieve])
@given(lines=st.lists(st.binary(max_size=40), max_size=30))
def test_dialogues_answer_anything_with_a_line_or_an_end(talk, lines):
    flow = talk("[192.0.2.1]")
    try:
        sent = next(flow)
        for line in lines:
            assert sent == b"" or sent.endswith(b"\r\n")
            sent = flow.send(line)
    except StopIteration:
        return
