"""Accounts set up from real web and mail servers: good ones, and each kind of bad one, with what is said of it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from checks.facts import Beyond, Facts
from checks.facts.setup import Setup
from checks.finding import Finding, Status
from checks.judge import setup as judging
from checks.probe import browsing, setup
from checks.probe.book import Book
from checks.probe.world import World
from dnsops.records.txt.uaac import Uaac
from tests.checks.probe.memory import Memory, Records
from tests.lab.pki import Pki
from tests.lab.streams import start_server

WEB, MAIL = "127.0.1.1", "127.0.1.2"
INSIDE = "127.0.1.3"
CONFIG = "/mail/config-v1.1.xml"
WHERE = f"https://autoconfig.good.test{CONFIG}"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def document(port: int = 993, socket: str = "SSL", host: str = "mx.good.test") -> bytes:
    words = f"<hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>"
    return f'<clientConfig><emailProvider><incomingServer type="imap">{words}</incomingServer></emailProvider></clientConfig>'.encode()


def page(body: bytes, status: str = "200 OK", head: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


def moved(where: str, status: int = 302) -> bytes:
    return page(b"", f"{status} Moved", f"Location: {where}\r\n")


BOMB = b'<!DOCTYPE a [<!ENTITY b "' + b"b" * 100 + b'"><!ENTITY c "&b;&b;&b;&b;">]><clientConfig>&c;</clientConfig>'
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b" " * 200_000
PACC = b'{"protocols":{"imap":{"host":"mx.good.test"}}}'


@dataclass
class Scene:
    """https, http: answers by host.  names: of the web's certificate.  ports: of mail, by what is served there."""

    https: dict[str, bytes] = field(default_factory=dict)
    http: dict[str, bytes] = field(default_factory=dict)
    names: tuple[str, ...] = ("*.good.test", "good.test")
    mail_names: tuple[str, ...] = ("mx.good.test",)
    imaps: bool = True
    imap: str = "good"
    more: Records = field(default_factory=dict)


def web(answers: dict[str, bytes], most: list[int]) -> Serve:
    inside = [0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside[0] += 1
        most.append(inside[0])
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        host = next(line[6:] for line in head.split("\r\n") if line.lower().startswith("host: "))
        answer = answers.get(host + head.split()[1], answers.get(host, page(b"", "404 Not Found")))
        if answer:
            writer.write(answer)
            await writer.drain()
        else:
            await reader.read()
        inside[0] -= 1
        writer.close()

    return serve


async def imaps(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"* OK ready\r\n")
    writer.close()


def imap(kind: str, tls: ssl.SSLContext) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await talk(reader, writer)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if kind == "silent":
            await reader.read()
            return writer.close()
        writer.write(b"* OK ready\r\n")
        await reader.readline()
        writer.write(b"a OK go on\r\n" if kind == "good" else b"a BAD what\r\n")
        if kind == "good":
            with suppress(OSError):  # whoever speaks TLS too early goes away
                await writer.start_tls(tls)
        writer.close()
        return None

    return serve


async def told(scene: Scene, folder: Path, local: bool = True) -> tuple[Setup, Finding, int]:
    pki, most = Pki(folder), list[int]()
    records: dict[tuple[str, str], tuple[str, ...]] = {("mx.good.test", "A"): (MAIL,)}
    for host in {key.partition("/")[0] for key in (*scene.https, *scene.http)}:
        records[host, "A"] = (WEB,)
    world: World = replace(Memory(records | dict(scene.more)).world(), local=local, roots=pki.ca)
    async with AsyncExitStack() as stack:
        for address, port, serve, names in (
            (WEB, 443, web(scene.https, most), scene.names),
            (INSIDE, 443, web(scene.https, []), scene.names),
            (WEB, 80, web(scene.http, most), None),
            *([(MAIL, 993, imaps, scene.mail_names)] if scene.imaps else []),
            (MAIL, 143, imap(scene.imap, context(pki, folder, scene.mail_names)), None),
        ):
            tls = context(pki, folder, names) if names else None
            await stack.enter_async_context(await start_server(serve, address, port, ssl=tls))
        book = await stack.enter_async_context(Book(world.dns))
        seen = await setup.look(book, "good.test", ("mx.good.test",), world)
        facts = Facts("good.test", world.now(), book=dict(book.pages), beyond=Beyond(setup=seen))
    return seen, judging.finding(facts), max(most, default=0)


def context(pki: Pki, folder: Path, names: tuple[str, ...]) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*pki.issue(names).write(folder, names[0].replace("*", "x")))
    return made


A, D, U, B = "autoconfig.good.test", "autodiscover.good.test", "ua-auto-config.good.test", "b.good.test"
VOUCHED: Records = {("_ua-auto-config.good.test", "TXT"): (str(Uaac.of(PACC)),)}
TWICE = {f"{A}{CONFIG}": moved(f"https://{B}/1"), f"{B}/1": moved("/2", 307), f"{B}/2": page(document())}

CASES: dict[str, tuple[Scene, Status, str]] = {
    "good": (Scene({A: page(document())}), Status.GOOD, "imap mx.good.test:993 (TLS)"),
    "two redirects": (Scene(TWICE), Status.GOOD, "imap mx.good.test:993 (TLS)"),
    "redirects without end": (Scene({A: moved("/again")}), Status.NOTICE, "more than 5 redirects"),
    "from https to http": (Scene({A: moved(f"http://{B}/")}, {B: page(document())}), Status.NOTICE, "from https to http"),
    "to another port": (Scene({A: moved(f"https://{B}:8443/")}), Status.NOTICE, "another port"),
    "to a file": (Scene({A: moved("file:///etc/passwd")}), Status.NOTICE, "not of the Web"),
    "to an address": (Scene({A: moved("https://127.0.0.1/")}), Status.NOTICE, "is an address"),
    "of another name": (Scene({A: page(document())}, names=("other.test",)), Status.NOTICE, "Hostname mismatch"),
    "a web page": (Scene({A: page(b"<html><body>hello<br></body></html>")}), Status.NOTICE, "a web page"),
    "a web page of the domain's own web": (Scene({"good.test": page(b"<html></html>")}), Status.INFO, "must type"),
    "XML of another kind": (Scene({A: page(b"<rss/>")}), Status.NOTICE, "another kind"),
    "an XML bomb": (Scene({A: page(BOMB)}), Status.NOTICE, "document type"),
    "without end": (Scene({A: ENDLESS}), Status.NOTICE, "more than 65536 octets"),
    "no HTTP": (Scene({A: b"220 hello\r\n\r\n"}), Status.NOTICE, "does not speak HTTP"),
    "silent": (Scene({A: b""}), Status.NOTICE, "no answer within"),
    "only without TLS": (Scene({A: page(b"", "500 Oops")}, {A: page(document())}), Status.FAIL, "it comes without TLS"),
    "plain HTTP leads to HTTPS": (
        Scene({A: page(b"", "500 Oops"), B: page(document())}, {A: moved(f"https://{B}/")}),
        Status.NOTICE,
        f"plain HTTP leads to https://{B}/",
    ),
    "a server that is not there": (Scene({A: page(document())}, imaps=False), Status.NOTICE, "mx.good.test:993: Connection refused"),
    "a server of another name": (Scene({A: page(document())}, mail_names=("mail.good.test",)), Status.NOTICE, "Hostname mismatch"),
    "a host that nobody knows": (Scene({A: page(document(host="imap.good.test"))}), Status.NOTICE, "no such name"),
    "STARTTLS": (Scene({A: page(document(143, "STARTTLS"))}), Status.GOOD, "STARTTLS"),
    "STARTTLS that is refused": (Scene({A: page(document(143, "STARTTLS"))}, imap="old"), Status.NOTICE, "refuses STARTTLS"),
    "SSL where STARTTLS is spoken": (Scene({A: page(document(143))}), Status.NOTICE, "STARTTLS may be meant"),
    "STARTTLS where TLS comes first": (Scene({A: page(document(143, "STARTTLS"))}, imap="silent"), Status.NOTICE, "TLS may come first"),
    "no TLS": (Scene({A: page(document(143, "plain"))}), Status.FAIL, "in the clear"),
    "PACC": (Scene({U: page(PACC)}, more=VOUCHED), Status.GOOD, "imap mx.good.test:993 (TLS)"),
    "PACC without a record": (Scene({U: page(PACC)}), Status.NOTICE, "no record at _ua-auto-config"),
    "PACC with another's hash": (Scene({U: page(PACC + b" ")}, more=VOUCHED), Status.NOTICE, "of another document"),
    "PACC that is no JSON": (Scene({U: page(b"{")}, more=VOUCHED), Status.NOTICE, "not JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("lab")
@pytest.mark.lab
def test_what_a_program_meets(name: str, tmp_path: Path) -> None:
    scene, status, said = CASES[name]
    _, finding, most = asyncio.run(told(scene, tmp_path))
    assert finding.right is status, finding.details
    assert said in " | ".join(finding.details)
    assert bool(finding.fix) == (status < Status.NOT_TESTED)
    assert most <= 1, "one connection to an address at a time"


@pytest.mark.usefixtures("lab")
@pytest.mark.lab
def test_a_name_inside_is_not_spoken_to(tmp_path: Path) -> None:
    seen, _, most = asyncio.run(told(Scene({A: page(document())}), tmp_path, local=False))
    assert most == 0
    assert {one.why for one in seen.sources if one.where == WHERE} == {"its addresses are not of the public Internet"}


@pytest.mark.usefixtures("lab")
@pytest.mark.lab
def test_a_redirect_does_not_lead_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first name is public; where it leads there is a good document, at an address that is not."""
    monkeypatch.setattr(browsing, "public", lambda ip: str(ip) != INSIDE)
    inside = {("inside.good.test", "A"): (INSIDE,)}
    scene = Scene({A: moved("https://inside.good.test/"), "inside.good.test": page(document())}, more=inside)
    seen, _, _ = asyncio.run(told(scene, tmp_path, local=False))
    assert {(one.body, one.why) for one in seen.sources if one.where == WHERE} == {
        (None, "https://inside.good.test/: its addresses are not of the public Internet")
    }
    (tmp_path / "local").mkdir()
    seen, _, _ = asyncio.run(told(scene, tmp_path / "local"))
    assert [one.body for one in seen.sources if one.where == WHERE] == [document()], "only its address keeps it away"
