"""The conversation with an ACME server: its directory, nonces, signed requests, another try where one may help.

    talk = Talk(Exchange(), url, key)
    reply = talk.post(talk.directory.new_order, {...})

badNonce is tried again at once, MOST_NONCES times (RFC 8555 6.5); lost answers and failures of the server's own with growing
gaps, half a minute in all (`providers.patience`). What is asked again must bear it: all of ACME's requests do, when who asks looks
at the state of things after a refusal. Fails by: `Later` when patience ends or the server asks for time, `Refusal` with its reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property

from dnsops.acme import refusals, words
from dnsops.acme.exchange import Exchange, Lost, Reply
from dnsops.acme.signing import AccountKey
from dnsops.base.errors import ForUser, Later
from dnsops.providers.patience import Patience

MOST_NONCES = 12
MOST_KEPT = 10
LONGEST_POLL = 15.0  # seconds between two looks
POLLING = 180.0  # seconds in all
FIRST_GAP, GROWTH = 0.2, 1.6

Sleep = Callable[[float], None]
Payload = Mapping[str, object] | None


class Plain:
    """Without a signature: the directory, and renewal information. `sleep` is called for pauses of at most half a minute."""

    def __init__(self, exchange: Exchange, url: str, sleep: Sleep = time.sleep) -> None:
        self.url, self._exchange, self._sleep = url, exchange, sleep

    @cached_property
    def directory(self) -> words.Directory:
        return words.directory(words.document(self.get(self.url).body))

    def get(self, url: str) -> Reply:
        patience = Patience(self._sleep)
        while True:
            try:
                reply = self._exchange.send("GET", url)
            except Lost as lost:
                patience.rest(str(lost))
                continue
            if reply.ok:
                return reply
            self._bear(reply, "its directory" if url == self.url else "the request", patience)

    def _bear(self, reply: Reply, what: str, patience: Patience) -> None:
        """Rest where another try may help; raise otherwise."""
        problem = _problem(reply)
        refusal = refusals.of(problem, what, reply.wait)
        if isinstance(refusal, ForUser) or problem.kind in ("rateLimited", "badNonce") or reply.status == 429:
            raise refusal
        patience.rest(refusal.reason, reply.wait)


class Talk(Plain):
    """Signed by an account's key. `account`: its URI, once it is known."""

    def __init__(self, exchange: Exchange, url: str, key: AccountKey, sleep: Sleep = time.sleep) -> None:
        super().__init__(exchange, url, sleep)
        self.key, self.account = key, ""
        self._nonces: list[str] = []

    def post(self, url: str, payload: Payload = None, what: str = "the request", own_key: bool = False) -> Reply:
        """A signed request; without a payload POST-as-GET (RFC 8555 6.3). own_key: signed as nobody's account yet."""
        patience, refused = Patience(self._sleep), 0
        while True:
            try:
                body = self.key.signed(payload, url, self._nonce(), "" if own_key else self.account)
                reply = self._exchange.send("POST", url, body)
            except Lost as lost:
                patience.rest(f"{what}: {lost}")
                continue
            self._keep(reply)
            if reply.ok:
                return reply
            if _problem(reply).kind == "badNonce" and refused < MOST_NONCES:
                refused += 1
                continue
            self._bear(reply, what, patience)

    def poll(self, url: str, what: str, done: Callable[[words.Json], bool]) -> words.Json:
        """Look until it is done; `Later` after POLLING seconds. Retry-After is heeded up to LONGEST_POLL."""
        gap, left = FIRST_GAP, POLLING
        while True:
            reply = self.post(url, None, what)
            found = words.document(reply.body)
            if done(found):
                return found
            pause = min(gap if reply.wait is None else max(reply.wait, FIRST_GAP), LONGEST_POLL)
            if pause > left:
                raise Later(f"{what}: the authority was not done with it within {POLLING:g} s")
            self._sleep(pause)
            gap, left = gap * GROWTH, left - pause

    def _nonce(self) -> str:
        if not self._nonces:
            reply = self._exchange.send("HEAD", self.directory.new_nonce)
            self._keep(reply)
            if not self._nonces:
                raise Lost(f"its newNonce gave none (status {reply.status})")
        return self._nonces.pop()

    def _keep(self, reply: Reply) -> None:
        nonce = reply.headers.get("replay-nonce", "")
        # RFC 8555 6.5.1: one that is not base64url is to be ignored
        if words.TOKEN.fullmatch(nonce) and len(self._nonces) < MOST_KEPT:
            self._nonces.append(nonce)


def _problem(reply: Reply) -> words.Problem:
    """The problem document, or what can be said without one."""
    try:
        return words.problem(words.document(reply.body), reply.status)
    except words.Malformed:
        return words.Problem("", f"status {reply.status}", reply.status)
