"""The panel: who is asked, and what becomes of those who do not answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.base.errors import Later, Misconfigured
from dnsops.base.log import Value
from dnsops.base.settings.spam import Spam
from dnsops.resolve.answer import Answer, Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.spam import clamd, rspamd, spamd
from mailsrv.spam.dnsbl import List
from mailsrv.spam.hints import Hint, Says, plain
from mailsrv.spam.mail import Mail
from mailsrv.spam.peer import ask
from mailsrv.spam.place import Manners, Place, parse, parse_web
from mailsrv.spam.scanning import Panel, Scanning, panel
from mailsrv.spam.spamd import Thresholds
from tests.lab.scanners import silent_port

MAIL = Mail(
    "192.0.2.99",
    "mx.b.example",
    sender="a@bad.example",
    recipients=("c@d.example",),
    content=b"Subject: x\r\n\r\nhi\r\n",
)
PLACES = {"rspamd": parse_web("http://127.0.0.1:1"), "spamd": parse("127.0.0.1:2"), "clamd": parse("/nowhere/clamd")}
OK = {
    "rspamd": b'HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n{"action": "no action", "score": 1.5}'[:-1] + b"}",
    "spamassassin": b"SPAMD/1.1 0 EX_OK\r\nSpam: False ; 1.5 / 5.0\r\n\r\nA,B",
    "clamav": b"stream: OK\0",
}


class Lines(list[dict[str, Value]]):
    def __call__(self, event: str, **fields: Value) -> None:
        self.append({"event": event, **fields})


class Canned:
    """Scanners that answer from a table; without an entry, not at all."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers, self.heard = answers, dict[str, bytes]()

    async def __call__(self, place: Place, manners: Manners, question: Iterable[bytes], deadline: float) -> bytes:
        self.heard[manners.source] = b"".join(question)
        if manners.source not in self.answers:
            raise Later(f"{place} did not answer within {deadline:g} s")
        return self.answers[manners.source]


def scan(answers: dict[str, bytes], mail: Mail = MAIL, **more: object) -> tuple[list[Hint], Lines, Canned]:
    lines, canned = Lines(), Canned(answers)
    scanning = Scanning(Panel(**PLACES, **more), MemoryDns({}), lines, canned)  # type: ignore[arg-type]
    return list(asyncio.run(scanning.of_message(mail))), lines, canned


def http(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def test_all_that_are_configured_give_a_hint() -> None:
    hints, lines, canned = scan(OK | {"rspamd": http(b'{"action": "no action", "score": 1.5}')})
    assert [(hint.source, hint.says, hint.score) for hint in hints] == [
        ("rspamd", Says.NOTHING, 1.5),
        ("spamassassin", Says.NOTHING, 1.5),
        ("clamav", Says.NOTHING, None),
    ]
    assert lines == []
    assert canned.heard["spamassassin"].startswith(b"SYMBOLS SPAMC/1.5\r\nContent-length: 18\r\n\r\nSubject: x")
    assert canned.heard["clamav"] == b"zINSTREAM\0\0\0\0\x12" + MAIL.content + bytes(4)
    assert canned.heard["rspamd"].endswith(b"\r\n\r\n" + MAIL.content)
    assert b"\r\nIp: 192.0.2.99\r\n" in canned.heard["rspamd"]


@pytest.mark.parametrize("later, says", [(False, Says.NOTHING), (True, Says.LATER)])
def test_a_scanner_that_does_not_answer_is_logged_and_never_holds_mail_up_unasked(later: bool, says: Says) -> None:
    hints, lines, _ = scan({}, later=later)
    assert [hint.says for hint in hints] == [says] * 3
    assert [line["event"] for line in lines] == ["spam.no_answer"] * 3


NONSENSE = [
    b"", b"\0", b"hello\r\n\r\n", b"SPAMD/1.1 0 EX_OK\r\n\r\n", b"SPAMD/1.1 76 bad header\r\n\r\n", b"stream: x ERROR\0",
    b"SPAMD/1.1 0 EX_OK\r\nSpam: True ; 1..2 / 5\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}",
    http(b"[]"), http(b"[" * 200_000), http(b"{"), http(b"{}", b"500 Oh"), http(b'{"action": ' + b"9" * 9000 + b"}"), b"HTTP/1.1 100 x\r\n\r\n",
]  # fmt: skip


@pytest.mark.parametrize("answer", NONSENSE, ids=range(len(NONSENSE)))
def test_an_answer_without_sense_is_no_answer(answer: bytes) -> None:
    hints, lines, _ = scan(dict.fromkeys(OK, answer), later=True)
    assert [hint.says for hint in hints] == [Says.LATER] * 3
    assert len(lines) == 3


def test_what_is_too_large_is_not_shown() -> None:
    hints, lines, canned = scan(OK, size=10, later=True)
    assert {hint.says for hint in hints} == {Says.NOTHING}
    assert canned.heard == {}
    assert lines == []


RSPAMD = [
    (b'{"action": "reject", "score": 20, "messages": {"smtp_message": "Spam\\r\\n250 ok\\u202e"}}', Says.REFUSE, "reject: Spam 250 ok"),
    (b'{"action": "discard"}', Says.REFUSE, "discard"),
    (b'{"action": "quarantine"}', Says.JUNK, "quarantine"),
    (b'{"action": "rewrite subject", "subject": "x"}', Says.JUNK, "rewrite subject"),
    (b'{"action": "add header", "symbols": {"A": {"score": 1}, "B": {"score": -7.5}, "C": {"score": 0}, "D": 3}}', Says.JUNK, "add header (B, A)"),
    (b'{"action": "greylist", "score": 5}', Says.NOTHING, "greylist"),
    (b'{"action": "soft reject"}', Says.LATER, "soft reject"),
    (b'{"action": "no action", "score": NaN}', Says.NOTHING, "no action"),
    (b'{"action": "no action", "score": 1e999}', Says.NOTHING, "no action"),
    (b'{"action": "something new"}', Says.NOTHING, "something new"),
    (b'{"action": ["reject"]}', Says.NOTHING, "it did not look"),
    (b'{"is_skipped": true, "action": "reject", "score": 15}', Says.REFUSE, "reject"),  # as 3.4 answers to GTUBE
    (b'{"error": "no memory"}', Says.NOTHING, "no memory"),
]  # fmt: skip


@pytest.mark.parametrize("body, says, why", RSPAMD)
def test_what_rspamd_would_do(body: bytes, says: Says, why: str) -> None:
    hint = rspamd.hint(http(body))
    assert (hint.says, hint.why.rstrip("? ")) == (says, why)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    assert rspamd.hint(chunked) == hint


@given(st.text(max_size=600), st.text(max_size=600))
def test_nothing_a_peer_says_breaks_the_question_to_rspamd(one: str, other: str) -> None:
    """Found: a value cut after 512 octets ended in a blank."""
    mail = Mail(one, other, other, one, (one, other), account=one, id=other)
    for each in (mail, Mail("x" * 511 + " y")):
        asked = b"".join(rspamd.question(each, PLACES["rspamd"]))
        names = [line.partition(b":")[0] for line in asked.split(b"\r\n")[1:-2]]
        assert set(names) <= {
            b"Host",
            b"Connection",
            b"Content-Length",
            b"Ip",
            b"Helo",
            b"Hostname",
            b"From",
            b"User",
            b"Queue-Id",
            b"Rcpt",
        }


@pytest.mark.parametrize(
    "line, thresholds, says",
    [
        (b"Spam: True ; 6.0 / 5.0", Thresholds(), Says.JUNK),
        (b"spam: yes;6/5", Thresholds(), Says.JUNK),
        (b"Spam: False ; 4.9 / 5.0", Thresholds(None, 15), Says.NOTHING),
        (b"Spam: False ; 4.9 / 5.0", Thresholds(4.0), Says.JUNK),
        (b"Spam: True ; 6.0 / 5.0", Thresholds(8.0), Says.NOTHING),
        (b"Spam: True ; 15.0 / 5.0", Thresholds(None, 15), Says.REFUSE),
        (b"Spam: True ; 1000 / 5.0", Thresholds(None, None), Says.JUNK),
        (b"Spam: False ; -2.4 / 5.0", Thresholds(), Says.NOTHING),
    ],
)
def test_what_spamassassins_points_mean(line: bytes, thresholds: Thresholds, says: Says) -> None:
    assert spamd.hint(b"SPAMD/1.1 0 EX_OK\r\n" + line + b"\r\n\r\nX", thresholds).says is says


def test_whose_preferences_count_cannot_be_more_than_a_name() -> None:
    question = b"".join(spamd.question(MAIL, "a\r\nX: y/../b" + "c" * 100))
    assert question.split(b"\r\n")[2] == b"User: aXy..b" + b"c" * 58


@pytest.mark.parametrize(
    "answer, says, why",
    [
        (b"stream: Win.Test.EICAR_HDB-1 FOUND\0", Says.REFUSE, "the message holds the virus Win.Test.EICAR_HDB-1"),
        (b"stream: a\r\n250 \x1b[31m FOUND\0", Says.REFUSE, "the message holds the virus a 250 [31m"),
        (b"stream: " + b"x" * 4000 + b" FOUND\0", Says.REFUSE, "the message holds the virus " + "x" * 100),
        (b"stream:  FOUND\0", Says.REFUSE, "the message holds the virus without a name"),
        (b"stream: PUA.Win.Packer FOUND\0", Says.JUNK, "the message holds the virus PUA.Win.Packer"),
        (b"INSTREAM size limit exceeded. ERROR\0", Says.NOTHING, "the message is larger than clamd looks at"),
    ],
)
def test_what_clamd_found(answer: bytes, says: Says, why: str) -> None:
    assert clamd.hint(answer) == Hint("clamav", says, why)


# lists

ZEN, DBL, DEAD = (
    List("zen.test", Says.REFUSE),
    List("dbl.test", Says.JUNK, domains=True),
    List("dead.test", Says.REFUSE),
)


def test_lists_are_asked_about_the_client_and_the_domains_it_names() -> None:
    dns, lines = MemoryDns({}), Lines()
    dns.put("99.2.0.192.zen.test", "A", "127.0.0.2")
    dns.put("bad.example.dbl.test", "A", "127.0.1.2")
    dns.verdict("dead.test", Security.FAILED, "timed out")
    hints = asyncio.run(Scanning(Panel((ZEN, DBL, DEAD)), dns, lines).of_client(MAIL))
    assert [(hint.source, hint.says) for hint in hints] == [
        ("dnsbl zen.test", Says.REFUSE), ("dnsbl dbl.test", Says.JUNK), ("dnsbl dbl.test", Says.NOTHING), ("dnsbl dead.test", Says.NOTHING),
    ]  # fmt: skip
    assert [line["why"] for line in lines] == ["dead.test did not answer: timed out"]
    assert ("mx.b.example.dbl.test", "A") in dns.asked


def test_our_own_users_are_on_no_list() -> None:
    dns = MemoryDns({})
    mail = Mail("192.0.2.99", account="user1")
    assert asyncio.run(Scanning(Panel((ZEN,)), dns, Lines()).of_client(mail)) == ()
    assert dns.asked == []


def test_a_list_that_takes_its_time_is_not_waited_for() -> None:
    class Slow(MemoryDns):
        async def ask(self, name: str, type_name: str) -> Answer:
            await asyncio.sleep(60)
            return await super().ask(name, type_name)

    lines = Lines()
    (hint,) = asyncio.run(Scanning(Panel((ZEN,), deadline=0.05, later=True), Slow({}), lines).of_client(MAIL))
    assert hint == Hint("dnsbl zen.test", Says.NOTHING, "zen.test did not answer in time")
    assert len(lines) == 1


# the line to a scanner

BRIEF = Manners("test", longest=100)


def answer_of(
    place: Place, manners: Manners = BRIEF, question: tuple[bytes, ...] = (b"hi",), deadline: float = 5
) -> bytes | str:
    try:
        return asyncio.run(ask(place, manners, question, deadline))
    except Later as later:
        return later.reason


def test_silence_ends_with_the_deadline() -> None:
    listener, port = silent_port()
    with listener:
        assert answer_of(Place("127.0.0.1", port), deadline=0.05) == f"127.0.0.1:{port} did not answer within 0.05 s"


def test_a_closed_port_and_a_missing_socket_are_no_answer(tmp_path: Path) -> None:
    listener, port = silent_port()
    listener.close()
    assert "cannot be reached" in str(answer_of(Place("127.0.0.1", port)))
    for place in (
        Place(socket=str(tmp_path / "none")),
        Place(socket="/" + "x" * 300),
        Place("a..b", 1),
        Place("-" * 200, 1),
    ):
        assert "cannot be reached" in str(answer_of(place))


@pytest.mark.parametrize(
    "said, manners, wanted",
    [
        (b"fine", BRIEF, b"fine"),
        (b"", BRIEF, "the scanner hung up without an answer"),
        (b"x" * 101, BRIEF, "the scanner's answer is longer than 100 octets"),
        (b"x" * 100, BRIEF, b"x" * 100),
    ],
)
def test_an_answer_is_read_to_its_end_and_no_further(said: bytes, manners: Manners, wanted: bytes | str) -> None:
    """The peer answers without listening, while we have megabytes to say, and hangs up."""
    listener, port = silent_port()

    def peer() -> None:
        line, _ = listener.accept()
        with line:
            line.sendall(said)

    thread = threading.Thread(target=peer)
    thread.start()
    try:
        assert answer_of(Place("127.0.0.1", port), manners, (b"y" * 65536,) * 64) == wanted
    finally:
        thread.join()
        listener.close()


# where they are


@pytest.mark.parametrize(
    "text, place",
    [
        ("/run/clamav/clamd.ctl", Place(socket="/run/clamav/clamd.ctl")),
        ("127.0.0.1:783", Place("127.0.0.1", 783)),
        ("[::1]:783", Place("::1", 783)),
        ("scan.example.org:1", Place("scan.example.org", 1)),
        ("http://127.0.0.1:11333", Place("127.0.0.1", 11333)),
        ("http://[::1]/", Place("::1", 80)),
        ("HTTP://scan.example.org/a/", Place("scan.example.org", 80, path="/a")),
    ],
)
def test_places_are_read(text: str, place: Place) -> None:
    assert (parse_web if "//" in text else parse)(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        "host:0",
        "host:65536",
        ":1",
        "a:b",
        "::1:1",
        "/a\nb",
        "http://",
        "https://a",
        "ftp://a",
        "http://a:b",
        "http://u@h/",
        "http://a/ b",
    ],
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured):
        (parse_web if "//" in text else parse)(text)


def test_the_configuration_says_who_is_asked() -> None:
    assert panel(Spam()) == Panel(thresholds=Thresholds(None, 15.0))
    told = Spam.model_validate(
        {"dnsbl": [{"zone": "Zen.Test.", "listed": "refuse", "codes": "127.0.0.2/31"}, {"zone": "dbl.test", "of": "domains"}],
         "rspamd": "http://127.0.0.1:11333", "spamd": "[::1]:783", "clamd": "/run/clamd", "junk_score": 6, "refuse_score": None,
         "scan_size": "1 MiB", "deadline": "3s", "on_failure": "later"}
    )  # fmt: skip
    found = panel(told)
    assert [(one.zone, one.says, one.domains, list(map(str, one.codes))) for one in found.lists] == [
        ("zen.test", Says.REFUSE, False, ["127.0.0.2/31"]),
        ("dbl.test", Says.JUNK, True, []),
    ]
    assert (found.rspamd, found.spamd, found.clamd) == (
        Place("127.0.0.1", 11333),
        Place("::1", 783),
        Place(socket="/run/clamd"),
    )
    assert (found.thresholds, found.size, found.deadline, found.later) == (Thresholds(6.0, None), 1 << 20, 3.0, True)


@pytest.mark.parametrize(
    "wrong", [{"spamd": "nowhere"}, {"clamd": "clamd.ctl"}, {"rspamd": "127.0.0.1:11333"}, {"on_failure": "drop"}, {"greylist": "maybe"}, {"dnsbl": [{"listed": "junk"}]}]
)  # fmt: skip
def test_a_wrong_setting_does_not_load(wrong: dict[str, object]) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError):
        Spam.model_validate(wrong)


def test_a_strangers_words_become_one_plain_line() -> None:
    assert plain(b"a\r\nb\x1b\xff \xe2\x80\xae" + b"x" * 999, 12) == "a b ? xxxxxx"
    assert plain("ä\u202e") == "?"
    assert plain("  a \t b  ") == "a b"
