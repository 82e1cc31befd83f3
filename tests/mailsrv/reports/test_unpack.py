"""S-AUTHN-11: what comes to the addresses for reports, and what it may cost."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
import zlib

import pytest

from mailsrv.reports import dmarc_xml, limits
from mailsrv.reports.limits import Unreadable
from mailsrv.reports.unpack import Kind, opened, unpack
from tests.mailsrv.reports.samples import OLD, RFC8460, RFC9990, google, gzipped, mail, zipped

GOOD = {
    "gzip": (mail(gzipped(RFC9990)), Kind.DMARC),
    "zip, called something else": (mail(zipped(("a.xml", OLD)), "application/octet-stream", "a.ZIP"), Kind.DMARC),
    "a stored zip": (mail(zipped(("a.xml", OLD), method=zipfile.ZIP_STORED), "application/zip", "a.zip"), Kind.DMARC),
    "plain XML": (mail(RFC9990, "text/xml", "a.xml"), Kind.DMARC),
    "XML with a byte order mark": (mail(b"\xef\xbb\xbf" + OLD, "text/xml", "a.xml"), Kind.DMARC),
    "Google's, a zip and nothing else": (google(), Kind.DMARC),
    "TLS, gzip": (mail(gzipped(RFC8460), "application/tlsrpt+gzip", "a.json.gz"), Kind.TLS),
    "TLS, plain": (mail(RFC8460, "application/tlsrpt+json", "a.json"), Kind.TLS),
    "gzip in two members": (mail(gzipped(RFC9990[:100]) + gzipped(RFC9990[100:])), Kind.DMARC),
    "a name with its encoding": (mail(gzipped(OLD), "application/x-unknown; name*=utf-8''a.xml.gz", "x"), Kind.DMARC),
}


@pytest.mark.parametrize("name", GOOD)
def test_reports_as_they_travel(name: str) -> None:
    content, kind = GOOD[name]
    assert unpack(content).kind is kind


def bomb(size: int, wbits: int) -> bytes:
    """So many zeros, packed."""
    deflating = zlib.compressobj(9, wbits=wbits)
    return b"".join([deflating.compress(bytes(1 << 20)) for _ in range(size >> 20)]) + deflating.flush()


def zip_bomb(size: int) -> bytes:
    """A zip whose directory says that it is small."""
    packed, name = bomb(size, -15), b"a.xml"
    sizes = (0, len(packed), 100)
    here = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, *sizes, len(name), 0) + name + packed
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, *sizes, len(name), 0, 0, 0, 0, 0, 0) + name
    return here + entry + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), len(here), 0)


BOMBS = {"gzip": bomb(200 << 20, 31), "zip": zip_bomb(200 << 20), "gzip in gzip": gzipped(bomb(200 << 20, 31))}


@pytest.mark.parametrize("name", BOMBS)
def test_s_authn_11_a_bomb_costs_ten_megabytes_and_no_more(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable):
            opened(BOMBS[name])
        assert tracemalloc.get_traced_memory()[1] < 3 * limits.INFLATED
    finally:
        tracemalloc.stop()


HOSTILE = {
    "a zip in a zip": zipped(("a.xml", zipped(("b.xml", OLD)))),
    "a gzip in a zip": zipped(("a.xml.gz", gzipped(OLD))),
    "a path upwards": zipped(("../x", OLD)),
    "an absolute path": zipped(("/etc/cron.d/x", OLD)),
    "a path of another system": zipped(("..\\x.xml", OLD)),
    "two files": zipped(("a.xml", OLD), ("b.xml", OLD)),
    "no file": zipped(),
    "half a zip": zipped(("a.xml", OLD))[:200],
    "a zip that points outside": zipped(("a.xml", OLD))[:-6] + b"\xff\xff\xff\x7f\0\0",
    "half a gzip": gzipped(OLD)[:100],
    "a gzip with a wrong sum": gzipped(OLD)[:-8] + bytes(8),
    "many gzips": gzipped(b"") * 20,
    "no report": b"%PDF-1.4",
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_s_authn_11_hostile_archives_are_refused(name: str) -> None:
    with pytest.raises(Unreadable):
        opened(HOSTILE[name])


def test_s_authn_11_an_encrypted_zip_is_refused() -> None:
    data = bytearray(zipped(("a.xml", OLD)))
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    with pytest.raises(Unreadable, match="encrypted"):
        opened(bytes(data))


def test_s_authn_11_a_million_rows_are_refused_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    record = OLD[OLD.index(b"<record>") : OLD.index(b"</record>") + 9]
    many = OLD.replace(b"</feedback>", record * 2000 + b"</feedback>")
    assert len(dmarc_xml.parse(many).rows) == 2001
    monkeypatch.setattr(limits, "ROWS", 1000)
    with pytest.raises(Unreadable, match="more than 1000 rows"):
        dmarc_xml.parse(many)
    short = b"<record/>" * 1_200_000
    with pytest.raises(Unreadable):
        opened(gzipped(b"<feedback>" + short))  # a million rows do not fit into what is unpacked


ENTITIES = {
    "billion laughs": b'<!DOCTYPE f [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
    "quadratic": b'<!DOCTYPE f [<!ENTITY a "' + b"x" * 50_000 + b'">]>',
    "a file of ours": b'<!DOCTYPE f [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "a file of theirs": b'<!DOCTYPE f SYSTEM "http://192.0.2.1/x.dtd">',
    "by parameter": b'<!DOCTYPE f [<!ENTITY % a SYSTEM "http://192.0.2.1/x"> %a;]>',
}


@pytest.mark.parametrize("name", ENTITIES)
def test_s_authn_11_entities_are_refused_before_the_parser_sees_them(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = RFC9990.replace(b"<feedback", ENTITIES[name] + b"<feedback").replace(b"Sample Reporter", b"&a;")

    def no_parser(*_: object) -> None:
        raise AssertionError("it came to the parser")

    monkeypatch.setattr(dmarc_xml.expat, "ParserCreate", no_parser)
    with pytest.raises(Unreadable, match="declares"):
        dmarc_xml.parse(data)


def test_only_so_many_attachments_are_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    part = b"--b\r\nContent-Type: application/gzip\r\n\r\nnot gzip\r\n"
    head = b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    good = b"--b\r\nContent-Type: text/xml\r\n\r\n" + OLD + b"\r\n--b--\r\n"
    assert unpack(head + part * 3 + good).kind is Kind.DMARC
    with pytest.raises(Unreadable):
        unpack(head + part * 4 + good)
    monkeypatch.setattr(limits, "ENCODED", 1000)
    with pytest.raises(Unreadable, match="too large"):
        unpack(mail(bytes(2000)))


def test_a_mail_without_attachment_says_so() -> None:
    with pytest.raises(Unreadable, match="no attachment"):
        unpack(b"Subject: hello\r\n\r\nhow are you?\r\n")
