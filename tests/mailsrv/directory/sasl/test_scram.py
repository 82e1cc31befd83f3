"""SCRAM by the vectors of RFC 5802 and RFC 7677, with and without a bound channel, and against a client of our own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import subprocess
from collections.abc import Callable

import pytest

from mailsrv.directory.accounts import Account
from mailsrv.directory.keys import Keys
from mailsrv.directory.sasl.door import (
    Answer,
    AskAct,
    AskKeys,
    AskProved,
    Binding,
    Challenge,
    Done,
    Failed,
    Question,
    Why,
)
from mailsrv.directory.sasl.exchange import offer
from mailsrv.directory.sasl.scram import Form, scram
from tests.mailsrv.directory.sasl.talk import ALL
from tests.mailsrv.directory.world import logins

Said = bytes | Callable[[bytes], bytes]
VECTORS = {
    "sha1": (  # RFC 5802 5
        b"fyko+d2lbbFgONRv9qkxdawL",
        b"3rfcNHYJY1ZVvWVs7j",
        b"QSXCR+Q6sek8bf92",
        b"v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        b"rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    ),
    "sha256": (  # RFC 7677 3
        b"rOprNGfwEbeRWgbNEkqO",
        b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        b"W22ZaJ0SNY7soEsUEjb6gQ==",
        b"dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    ),
}
USER = Account("user")
EXPORTED = Binding((("tls-exporter", b"e" * 32), ("tls-server-end-point", b"c" * 32)))
KEYS = Keys.derive("sha256", b"pencil", b"salt of 16 octet", 4096)


def conversation(
    form: Form, said: list[Said], keys: Keys = KEYS, nonce: bytes = b"OURS", binding: Binding | None = None
) -> list[object]:
    """What the server says to each; `user` exists, and may act as `user` only."""
    heard: list[object] = []
    waiting = list(said)
    first = waiting.pop(0)
    flow = scram(first if isinstance(first, bytes) else None, form, nonce, binding)
    answer: Answer = None
    try:
        while True:
            question = flow.send(answer)
            if isinstance(question, Challenge):
                heard.append(question.data)
                say = waiting.pop(0)
                answer = say(question.data) if callable(say) else say
            else:
                answer = _known(question, keys)
    except StopIteration as end:
        return [*heard, end.value]


def _known(question: Question, keys: Keys) -> Answer:
    match question:
        case AskKeys(_, hash_name) if hash_name == keys.hash:
            return keys
        case AskProved("user"):
            return USER
        case AskAct(_, name):
            return name == "user"
    return None


@pytest.mark.parametrize("hash_name", VECTORS)
def test_the_vectors(hash_name: str) -> None:
    client, ours, salt, proof, signature = VECTORS[hash_name]
    keys = Keys.derive(hash_name, b"pencil", base64.b64decode(salt), 4096)
    said: list[Said] = [b"n,,n=user,r=" + client, b"c=biws,r=%s%s,p=%s" % (client, ours, proof), b""]
    assert conversation(Form(hash_name), said, keys, ours) == [
        b"r=%s%s,s=%s,i=4096" % (client, ours, salt),
        b"v=" + signature,
        Done(USER),
    ]


def client(
    first: bytes,
    password: bytes = b"pencil",
    cbind: bytes | None = None,
    change: Callable[[bytes], bytes] = lambda final: final,
) -> list[Said]:
    """A client that follows RFC 5802. cbind: what it binds to beside its header."""
    header = first[: first.index(b",", first.index(b",") + 1) + 1]
    bare = first[len(header) :]

    def final(challenge: bytes) -> bytes:
        parts = dict(part.split(b"=", 1) for part in challenge.split(b","))
        keys = hashlib.pbkdf2_hmac("sha256", password, base64.b64decode(parts[b"s"]), int(parts[b"i"]))
        key = hmac.digest(keys, b"Client Key", "sha256")
        without = b"c=%s,r=%s" % (base64.b64encode(header + (cbind or b"")), parts[b"r"])
        signature = hmac.digest(hashlib.sha256(key).digest(), b",".join((bare, challenge, without)), "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return change(without + b",p=" + base64.b64encode(proof))

    return [first, final, b""]


SHA, PLUS, BESIDE = Form("sha256"), Form("sha256", plus=True, plus_offered=True), Form("sha256", plus_offered=True)
ENDINGS = [
    # which, what the client does, how it ends
    (SHA, client(b"n,,n=user,r=12345678"), "done"),
    (SHA, client(b"y,,n=user,r=12345678"), "done"),
    (SHA, client(b"n,a=user,n=user,r=12345678"), "done"),
    (SHA, client(b"n,a=other,n=user,r=12345678"), Why.AUTHZID),
    (SHA, client(b"n,,n=user,r=12345678", b"wrong"), Why.CREDENTIALS),
    (SHA, client(b"n,,n=nobody,r=12345678"), Why.CREDENTIALS),
    (SHA, client(b"n,,n=user,r=12345678,x=more"), "done"),  # RFC 5802 5.1: extensions are ignored
    (SHA, client(b"n,,m=must,n=user,r=12345678"), Why.MALFORMED),  # but this one must be understood
    (SHA, client(b"p=tls-exporter,,n=user,r=12345678", cbind=b"e" * 32), Why.BINDING),
    (BESIDE, client(b"y,,n=user,r=12345678"), Why.BINDING),  # someone took -PLUS off the list
    (BESIDE, client(b"n,,n=user,r=12345678"), "done"),
    (PLUS, client(b"p=tls-exporter,,n=user,r=12345678", cbind=b"e" * 32), "done"),
    (PLUS, client(b"p=tls-server-end-point,,n=user,r=12345678", cbind=b"c" * 32), "done"),
    (PLUS, client(b"p=tls-exporter,,n=user,r=12345678", cbind=b"f" * 32), Why.BINDING),  # someone in between
    (PLUS, client(b"p=tls-exporter,,n=user,r=12345678"), Why.BINDING),
    (PLUS, client(b"p=tls-unique,,n=user,r=12345678", cbind=b""), Why.BINDING),
    (PLUS, client(b"n,,n=user,r=12345678"), Why.BINDING),
    (PLUS, client(b"y,,n=user,r=12345678"), Why.BINDING),
    (SHA, client(b"n,,n=user,r=12345678", change=lambda final: final.replace(b"c=biws", b"c=eSws")), Why.BINDING),
    (SHA, client(b"n,,n=user,r=12345678", change=lambda final: final.replace(b"OURS", b"ours")), Why.MALFORMED),
    (SHA, client(b"n,,n=user,r=12345678", change=lambda final: final[:-8] + b"AAAA" + final[-4:]), Why.CREDENTIALS),
    (SHA, client(b"n,,n=user,r=12345678", change=lambda final: final[:-4]), Why.CREDENTIALS),
    (SHA, client(b"n,,n=user,r=12345678", change=lambda final: final + b"!"), Why.MALFORMED),
    (SHA, client(b"n,,n=user,r=12345678", change=lambda final: b""), Why.MALFORMED),
    (SHA, [*client(b"n,,n=user,r=12345678")[:2], b"more"], Why.MALFORMED),
    (SHA, [b"n,,n=user,r=short"], Why.MALFORMED),
    (SHA, [b"n,,n=user,r=" + b"x" * 257], Why.MALFORMED),
    (SHA, [b"n,,n=us=er,r=12345678"], Why.MALFORMED),
    (SHA, [b"n,,n=\xff,r=12345678"], Why.MALFORMED),
    (SHA, [b"n,,n=,r=12345678"], Why.MALFORMED),
    (SHA, [b"n,,n=" + b"u" * 255 + b",r=12345678"], Why.MALFORMED),
    (SHA, [b"x,,n=user,r=12345678"], Why.MALFORMED),
    (SHA, [b""], Why.MALFORMED),
]


@pytest.mark.parametrize("form, said, ending", ENDINGS)
def test_how_it_ends(form: Form, said: list[Said], ending: object) -> None:
    end = conversation(form, said, binding=EXPORTED)[-1]
    assert (end.why if isinstance(end, Failed) else "done") == ending


def test_a_name_with_a_comma() -> None:
    asked: list[object] = []
    flow = scram(b"n,,n=a=2Cb=3Dc,r=12345678", SHA, b"OURS")
    asked.append(flow.send(None))
    assert asked == [AskKeys("a,b=c", "sha256")]


@pytest.mark.parametrize(
    "tls, binding, tokens, plain_words, offered",
    [
        (True, Binding(), False, False, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN"),
        (
            True,
            EXPORTED,
            True,
            False,
            "SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 PLAIN LOGIN OAUTHBEARER",
        ),
        (True, Binding((("tls-server-end-point", b"c"),)), False, False, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN"),
        (False, Binding(), True, False, "SCRAM-SHA-256 SCRAM-SHA-1"),
        (False, Binding(), False, True, "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN"),
    ],
)
def test_what_is_on_offer(
    monkeypatch: pytest.MonkeyPatch, tls: bool, binding: Binding, tokens: bool, plain_words: bool, offered: str
) -> None:
    monkeypatch.setenv("PW", "foobar")
    door = logins("hostname: mx.x.org\naccounts: [{name: u, password: !env PW, addresses: [u@x.org]}]")
    made = offer(ALL, door, tls=tls, plaintext_allowed=plain_words, binding=binding, tokens=tokens)
    assert " ".join(made.mechanisms) == offered
    assert offer(ALL, logins(), tls=True).mechanisms == ("PLAIN", "LOGIN")  # hashes only: SCRAM would fail for all


def test_through_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same client against accounts of a configuration, with a true and with a made-up salt."""
    import asyncio

    from mailsrv.directory.sasl.exchange import Answers, Offer, begin

    monkeypatch.setenv("PW", "pencil")
    door = logins("hostname: mx.x.org\naccounts: [{name: u, password: !env PW, addresses: [u@x.org]}]")

    async def run(name: bytes, password: bytes) -> str:
        exchange = begin("scram-sha-256", Offer(("SCRAM-SHA-256",), Binding()), Answers(door, "192.0.2.1"))
        assert exchange is not None
        said = client(b"n,,n=%s,r=12345678" % name, password)
        challenge = await exchange.start(None)
        challenge = await exchange.step(said[0] if isinstance(said[0], bytes) else b"")
        assert isinstance(challenge, Challenge)
        answer = await exchange.step(said[1](challenge.data) if callable(said[1]) else b"")
        if isinstance(answer, Challenge):
            answer = await exchange.step(b"")
        return (
            answer.account.name if isinstance(answer, Done) else answer.why.name if isinstance(answer, Failed) else ""
        )

    got = [
        asyncio.run(run(*who))
        for who in ((b"u", b"pencil"), (b"u@x.org", b"pencil"), (b"u", b"pen"), (b"v", b"pencil"))
    ]
    assert got == ["u", "u", "CREDENTIALS", "CREDENTIALS"]


def test_keys_that_openssl_and_we_agree_on() -> None:
    """PBKDF2, the part that is ours alone, by another's hand."""
    command = [
        "openssl",
        "kdf",
        "-keylen",
        "32",
        "-kdfopt",
        "digest:SHA256",
        "-kdfopt",
        "pass:pencil",
        "-kdfopt",
        "iter:4096",
        "-kdfopt",
    ]
    done = subprocess.run([*command, "salt:salt of 16 octet", "PBKDF2"], capture_output=True, text=True, check=True)
    salted = bytes.fromhex(done.stdout.strip().replace(":", ""))
    assert hmac.digest(salted, b"Server Key", "sha256") == KEYS.server
