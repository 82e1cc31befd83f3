"""The promise, shown on real servers: from an empty zone and a token to verified mail by one command, and then a DANE rollover
that no sender notices, beside the order that senders do notice; at last the check of the domain, from outside: 100 %.

    make demo          (= tests/lab/enter.sh .venv/bin/python -m tests.lab.demo)

Knot and unbound (signed tree, a resolver that caches), pebble (ACME), Cloudflare's API writing into that tree, `mailsrv serve`
as the receiving MX, and a stranger's Postfix that verifies DANE: it sends all the time, and is asked several times a second.
Everything runs in a network namespace and ends with it. Fails by: exit 1 and the line that went wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from dnsops.certs.chain import Chain, association, from_pem
from dnsops.dkim.keys import Keys
from tests.lab import demo_check, demo_trust
from tests.lab.acme import Account, Pebble
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.demo_start import Served, Unready, emptied, ready, shown, validated
from tests.lab.demo_trust import Distrust, Far, Rotation
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.network import CLOUDFLARE, MX, MX2, MX6, Unavailable, private_network
from tests.lab.pki import Credentials, Pki, new_key
from tests.lab.postfix import Sender, Verdict, finger
from tests.lab.program import wait_until

HOST, OTHER = "mx1.example.org", "mx2.example.org"
TTL = 300  # what Cloudflare is told
SCALE = 60  # one minute of TTL, and of the article's timer, is one second here
ARTICLES_TIMER = 300 / SCALE
DOMAIN = "example.org"
USER = "user1"


class Broken(Exception):
    """The demo did not show what it promises."""


@dataclass
class Watch:
    """A stranger's Postfix asking again and again, in a thread of its own."""

    domain: str
    pause: float = 0.2
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    unverified: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def refused(self) -> int:
        return sum(count for verdict, count in self.verdicts.items() if verdict is not Verdict.VERIFIED)

    def _ask(self) -> None:
        last = time.monotonic()
        while not self._stop.is_set():
            verdict = finger(self.domain)
            self.verdicts[verdict] += 1
            now = time.monotonic()
            if verdict is not Verdict.VERIFIED:
                self.unverified += now - last
            last = now
            self._stop.wait(self.pause)


@dataclass
class Load:
    """A stranger's Postfix sending to us without a pause, in a thread of its own."""

    sender: Sender
    recipient: str
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    fault: list[BaseException] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def sent(self) -> int:
        return sum(self.outcomes.values())

    @property
    def deferred(self) -> int:
        return sum(count for (status, tls), count in self.outcomes.items() if (status, tls) != ("sent", "Verified"))

    def _send(self) -> None:
        try:
            while not self._stop.wait(0.1):
                delivery = self.sender.send(self.recipient)
                self.outcomes[delivery.status, delivery.tls] += 1
        except (TimeoutError, Unavailable) as error:
            self.fault.append(error)


class Teller:
    """Lines with the time since the start."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._terminal = sys.stdout.isatty()

    def __call__(self, text: str) -> None:
        print(f"{time.monotonic() - self._begin:6.1f} s  {text}", flush=True)

    def chapter(self, text: str) -> None:
        print(f"\n\033[1m{text}\033[0m" if self._terminal else f"\n{text}", flush=True)

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self._begin


@dataclass
class Stage:
    """All servers, up."""

    tell: Teller
    directory: Path
    tree: DnsTree
    pki: Pki
    pebble: Pebble
    account: Account
    api: CloudflareApi
    mx: Mx

    @property
    def state(self) -> Path:
        return self.directory / "state"

    @property
    def config(self) -> Path:
        return self.directory / "etc-mailsrv" / "mailsrv.yml"

    def mailsrv(self, *words: str, status: tuple[int, ...] = (0,), **environ: str) -> str:
        """One command of ours, as a person would type it."""
        done = subprocess.run(
            [sys.executable, "-m", "mailsrv", *words],
            capture_output=True,
            text=True,
            env={**os.environ, "MAILSRV_CONFIG": str(self.config), **environ},
            check=False,
        )
        if done.returncode not in status:
            raise Broken(f"mailsrv {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def key_and_chain(self, word: str) -> tuple[Path, Path]:
        folder = self.state / "certs" / HOST / word
        return folder / "key.pem", folder / "chain.pem"

    def challenge(self, owner: str, kind: str, *texts: str) -> None:
        """A challenge's record; the resolver here caches, so it is given a short life."""
        self.tree.replace(owner, kind, *texts, ttl=1)


def main() -> int:
    tell = Teller()
    try:
        with ExitStack() as stack:
            show(raise_curtain(tell, stack), stack)
    except Unavailable as reason:
        print(f"demo: the lab cannot be had here: {reason}", file=sys.stderr)
        return 1
    except (Broken, Distrust, Unready, TimeoutError) as reason:
        print(f"demo: {reason}", file=sys.stderr)
        return 1
    return 0


def raise_curtain(tell: Teller, stack: ExitStack) -> Stage:
    """Start every server."""
    tell.chapter("The servers, in a network of their own")
    directory = stack.enter_context(private_network())
    tree = stack.enter_context(demo_check.named(DnsTree(directory, cache=86400), HOST))
    demo_check.completed(tree, DOMAIN)
    tell("signed: ., org, example.org (NSEC3) on knot, two name servers; unbound validates, and caches as TTLs say")
    pki = stack.enter_context(Pki(directory))
    pebble = stack.enter_context(Pebble(directory, pki))
    tell(f"ACME server: {pebble.url}")
    api = stack.enter_context(CloudflareApi([DOMAIN], tree, CLOUDFLARE, 443, pki.api))
    api.ttl(SCALE)
    tell(f"https://api.cloudflare.com, writing into the zone (a TTL of {TTL} s is {TTL // SCALE} s here)")
    mx = stack.enter_context(Mx())
    stage = Stage(tell, directory, tree, pki, pebble, Account(pebble), api, mx)
    emptied(api, DOMAIN, others=(OTHER,))
    return stage


def show(stage: Stage, stack: ExitStack) -> None:
    tell = stage.tell
    tell.chapter("From an empty zone and a token")
    sender = stack.enter_context(Sender(stage.directory))
    stranger = stack.enter_context(demo_trust.far_house(stage.directory, stage.tree, stage.pki))
    server = start(stage, stack)
    keys = Rotation(lambda: first_keys(stage)).begin()
    verified(stage, sender)
    read(stage, server)
    tell.chapter("Mail that others trust")
    keys.join()
    before = trusted(stage, server, stranger, "1")
    tell.chapter("Rollovers, side by side, while a stranger's Postfix sends, and asks again and again")
    first = chain_of(stage, "current")
    other = prepare_article(stage)
    with Watch(DOMAIN_OF[HOST]) as ours, Watch(DOMAIN_OF[OTHER]) as theirs, Load(sender, f"{USER}@{DOMAIN}") as load:
        article = threading.Thread(target=articles_order, args=(stage, other))
        article.start()
        rotating = Rotation(lambda: dkim(stage)).begin()
        roll(stage, server)
        article.join()
        tell("both rolled; the old records are gone")
    read(stage, server)
    rotating.join()
    after = trusted(stage, server, stranger, "2")
    if set(before) & set(after):
        raise Broken(f"DKIM was not rotated: {before}, {after}")
    tell.chapter("A man in the middle, between us and the stranger")
    tell(demo_trust.downgraded(server, stage.tree, stage.pki, USER, f"{USER}@{DOMAIN}"))
    tell.chapter("And the zone is as it should be")
    unchanged(stage)
    summary(stage, first, chain_of(stage, "current"), ours, theirs, load)
    tell.chapter(f"$ mailsrv check mail {DOMAIN}")
    print("\n".join(demo_check.hundred(stage.mailsrv, DOMAIN, stage.directory / "root.pem")))


DOMAIN_OF = {HOST: f"[{HOST}]", OTHER: f"[{OTHER}]"}  # as Postfix writes a host without an MX look-up


def start(stage: Stage, stack: ExitStack) -> Served:
    """One command: configuration, keys, plan, records, certificate; then the server, and the same command for the rest."""
    words = ["quickstart", DOMAIN, "--yes", "--hostname", HOST, "--account", USER, "--provider", "cloudflare"]
    words += ["--addresses", f"{MX},{MX6}", "--bind", "--directory", stage.pebble.url, "--dial", f"{demo_trust.FAR}"]
    words += ["--output", str(stage.config.parent), "--state", str(stage.state)]
    stage.tell(f"$ CLOUDFLARE_API_TOKEN=... mailsrv {' '.join(words[:3])} ...")
    for line in shown(stage.mailsrv(*words, CLOUDFLARE_API_TOKEN=stage.api.token)):
        print(f"          {line}")
    issued = chain_of(stage, "current")
    stage.tell(f"certificate by DNS-01 for {', '.join(issued.names)}; key {short(issued)}, the next one is made")
    root = stage.directory / "root.pem"
    root.write_bytes(stage.pebble.root())
    server = stack.enter_context(Served(stage.config, stage.state, root))
    ready()
    stage.tell(f"mailsrv serve: mail, IMAP and the web names at {MX} and {MX6}")
    stage.mailsrv(*words, "--skip-checks")
    stage.tell("the same command again: it goes on where it was, and the TLSA records of both keys are out")
    stage.tell(f"mailsrv dns verify: {validated(stage.mailsrv('dns', 'verify', '--all', '--json', status=(0, 1)))}")
    return server


def chain_of(stage: Stage, word: str) -> Chain:
    return from_pem((stage.state / "certs" / HOST / word / "chain.pem").read_bytes(), "")


def read(stage: Stage, server: Served) -> None:
    """The delivered mail, by IMAP."""
    messages = server.messages(USER)
    if not messages or b"TLS_" not in messages[-1]:
        raise Broken(f"{len(messages)} messages in the mailbox of {USER}")
    subject = next(line for line in messages[-1].decode().splitlines() if line.startswith("Subject:"))
    stage.tell(f"{USER} reads it by IMAP over TLS: {len(messages)} in INBOX, {subject!r}")


def unchanged(stage: Stage) -> None:
    """Nothing left to do: exit 0."""
    told = stage.mailsrv("dns", "plan").strip().splitlines()
    stage.tell(f"mailsrv dns plan: {told[0]}; exit 0")


def first_keys(stage: Stage) -> None:
    """Published with all else; they sign when every cache can know them."""
    while Keys(stage.state / "dkim").ring(DOMAIN).current is None:
        stage.mailsrv("dkim", "reconcile")
        time.sleep(0.5)


def dkim(stage: Stage) -> None:
    """The next keys: published, seen everywhere, then signing."""
    stage.mailsrv("dkim", "rotate", "--wait", "--every", "0.5")


def trusted(stage: Stage, server: Served, far: Far, number: str) -> tuple[str, ...]:
    """A mail of ours at the stranger's; gives the selectors that signed it."""
    # the server looks at its keys once a second
    wait_until(lambda: len(server.events("dkim.signing")) >= int(number), "the server to sign with the keys", 20)
    demo_trust.letter(
        server, USER, f"{USER}@{DOMAIN}", f"{demo_trust.USER}@{demo_trust.FAR_DOMAIN}", f"letter {number}"
    )
    selectors = demo_trust.trusted(far)
    wait_until(lambda: len(_sent(server)) >= int(number), "the log line of the delivery", 20)
    sent = _sent(server)
    stage.tell(
        f"{USER} writes to {demo_trust.USER}@{demo_trust.FAR_DOMAIN}: policy {sent[-1]['policy']}, {sent[-1]['trust']}"
    )
    stage.tell(f"Authentication-Results there: {', '.join(demo_trust.PASSED)}, by {' and '.join(selectors)}")
    return selectors


def _sent(server: Served) -> list[dict[str, Any]]:
    return server.events("send.delivered") + server.events("send.relayed")


def verified(stage: Stage, sender: Sender) -> None:
    verdict = finger(DOMAIN)
    delivery = sender.send(f"user1@{DOMAIN}")
    stage.tell(
        f"a stranger's Postfix: posttls-finger {verdict.value}; a message: {delivery.tls} TLS, status={delivery.status}"
    )
    if (verdict, delivery.tls, delivery.status) != (Verdict.VERIFIED, "Verified", "sent"):
        raise Broken(delivery.line)


def roll(stage: Stage, server: Served) -> None:
    """Ours: the next key was announced with the first; its certificate comes, the machine waits and switches."""
    begin, reload = time.monotonic(), f"kill -HUP {server.pid}"  # else it looks every five seconds
    stage.mailsrv("cert", "issue", "--force", "--install", reload, status=(0, 1))
    stage.tell(f"{HOST}: certificate ordered ahead of its time, for the key that was announced with the first one")
    stage.mailsrv("tlsa", "roll", HOST, "--reload", reload, "--wait", "--every", "0.5")
    stage.tell(f"{HOST}: ripe, switched, the old record retired: {time.monotonic() - begin:.1f} s, no step by hand")


def prepare_article(stage: Stage) -> Credentials:
    credentials = stage.account.issue(new_key(), [OTHER], stage.challenge)
    stage.mx.listen(MX2, 25, credentials)
    put(stage, credentials)
    stage.tell(f"{OTHER}: a second host, with a right TLSA record too, is rolled in the order of the wiki article")
    return credentials


def articles_order(stage: Stage, old: Credentials) -> None:
    """The article: the server renews and serves at once; every five minutes a script compares and replaces the record."""
    time.sleep(2)
    new = stage.account.issue(new_key(), [OTHER], stage.challenge)
    stage.mx.switch((MX2, 25), new)
    stage.tell(f"{OTHER}: renewed and served at once")
    time.sleep(ARTICLES_TIMER)
    for record in stage.api.records(DOMAIN, type="TLSA", name=f"_25._tcp.{OTHER}"):
        stage.api.erase(DOMAIN, record.id)
    put(stage, new)
    stage.tell(f"{OTHER}: the script's timer came by and replaced the record")
    time.sleep(TTL / SCALE + 1)


def put(stage: Stage, credentials: Credentials) -> None:
    record = association(from_pem(credentials.chain, "").certificates[0])
    data = {"usage": 3, "selector": 1, "matching_type": 1, "certificate": record.data.hex()}
    stage.api.edit(DOMAIN, "TLSA", f"_25._tcp.{OTHER}", data=data, ttl=TTL)


def summary(stage: Stage, first: Chain, second: Chain, ours: Watch, theirs: Watch, load: Load) -> None:
    stage.tell.chapter("What the stranger saw")
    print(f"{'':28} {'asked':>7} {'Verified':>9} {'refused':>8} {'unverified for':>15}")
    for name, watch in (("mailsrv", ours), ("the article's order", theirs)):
        total = sum(watch.verdicts.values())
        seconds = f"{watch.unverified:.1f} s" + (
            f" = {watch.unverified * SCALE / 60:.0f} min" if watch.unverified else ""
        )
        print(f"{name:28} {total:7} {watch.verdicts[Verdict.VERIFIED]:9} {watch.refused:8} {seconds:>15}")
    print(f"\nsent by a Postfix to {HOST} meanwhile: {load.sent} messages, {load.deferred} deferred")
    print(f"{HOST}: key {short(first)} became {short(second)}. In all {stage.tell.elapsed:.0f} s.")
    if first.spki == second.spki:
        raise Broken("the key was not rolled")
    if load.fault or load.deferred or load.sent < 5:
        raise Broken(f"not every message was delivered at once, verified: {dict(load.outcomes)} {load.fault}")
    if ours.refused or sum(ours.verdicts.values()) < 20:
        raise Broken(f"a moment unverified: {dict(ours.verdicts)}")
    if not theirs.refused:
        raise Broken("the article's outage was not seen: the watch is blind")


def short(chain: Chain) -> str:
    return association(chain.certificates[0]).data.hex()[:8]


if __name__ == "__main__":
    sys.exit(main())
