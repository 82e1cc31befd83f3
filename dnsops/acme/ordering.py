"""One order, from the wish to the chain: order, show, answer, wait, finalise, download, look at it. The story; it calls the rest.

    order -> for each name: already valid? else a challenge -> show all -> answer all -> wait -> take all away
          -> finalise with the request -> wait -> download (and the alternate chains) -> checked chain

What was shown is taken away whatever happens; where even that fails the solver's journal has it, and the next run does.
An order that a killed run left is gone on with. An answer that was lost leaves the server further than we know: after each refusal the state of things is looked at again.
Standards: RFC 8555 7.4, 7.5; RFC 9773 5 (`replaces`); draft-ietf-acme-profiles; draft-ietf-acme-dns-persist.
Fails by: `ForUser`, `Later`; nothing is installed by anybody then.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dnsops.acme import ari, lasting, refusals, verified, words
from dnsops.acme.attempts import Attempts
from dnsops.acme.door import Challenge, Solver, Wish
from dnsops.acme.orders import Orders
from dnsops.acme.refusals import Refusal
from dnsops.acme.talk import Talk
from dnsops.base.errors import Deliberate, ForUser
from dnsops.base.log import Log
from dnsops.certs.chain import Chain
from dnsops.records import names

MOST_CHAINS = 8
WAITING = ("pending", "processing")
_ALTERNATE = re.compile(r'<([^<>]{1,2048})>\s*;[^,<]*\brel="?alternate"?')

# Whether a persistent validation stands at a name: (name, issuers, for a wildcard too)
Persisted = Callable[[str, Sequence[str], bool], bool]


@dataclass(frozen=True, slots=True)
class Task:
    """A name to be validated. challenge: None where nothing has to be shown."""

    url: str
    name: str
    offer: words.Offer
    challenge: Challenge | None


@dataclass(frozen=True, slots=True)
class Ordering:
    """What an order needs."""

    talk: Talk
    solver: Solver
    attempts: Attempts
    orders: Orders
    log: Log
    now: Callable[[], datetime]
    persisted: Persisted | None = None

    def chain(self, wish: Wish) -> Chain:
        """The story."""
        wish = replace(wish, names=tuple(dict.fromkeys(map(names.canonical, wish.names))))
        self.attempts.check(_bare(wish.names), self.now())
        self.solver.sweep()
        try:
            chain = self._issued(wish)
        except ForUser:
            self.orders.over()
            raise
        self.orders.over()
        return chain

    def _issued(self, wish: Wish) -> Chain:
        order = self._under_way(wish) or self._placed(wish)
        self.orders.begun(order.url, wish, self.now().timestamp())
        if order.status == "pending":
            self._validate(order, wish)
        return self._chosen(self._finalised(order, wish), wish)

    # the order

    def _under_way(self, wish: Wish) -> words.Order | None:
        """The order that an earlier run left, when it is still good for something."""
        url = self.orders.under_way(wish, self.now().timestamp())
        if not url:
            return None
        try:
            found = words.order(words.document(self.talk.post(url, None, "the order under way").body), url)
        except ForUser:
            return None
        return found if found.status in ("pending", "ready", "processing", "valid") else None

    def _placed(self, wish: Wish) -> words.Order:
        payload: dict[str, object] = {"identifiers": [{"type": "dns", "value": name} for name in wish.names]}
        if wish.profile:
            payload["profile"] = self._profile(wish.profile)
        ends = ari.identifier(wish.replaces) if wish.replaces and self.talk.directory.renewal_info else ""
        if not ends:
            return self._order(payload, wish)
        try:
            return self._order(payload | {"replaces": ends}, wish)
        except Refusal as refusal:
            # RFC 9773 5: another order replaced it, or it is not this account's; a certificate is wanted all the same
            self.log("acme.replaces.refused", certificate=ends, why=refusal.what)
            return self._order(payload, wish)

    def _order(self, payload: dict[str, object], wish: Wish) -> words.Order:
        reply = self.talk.post(self.talk.directory.new_order, payload, f"an order for {_some(wish.names)}")
        return words.order(
            words.document(reply.body), words.address(reply.headers.get("location"), "the order's address")
        )

    def _profile(self, wanted: str) -> str:
        offered = self.talk.directory.profiles
        if wanted not in offered:
            known = "; ".join(f"{name} ({text})" if text else name for name, text in offered.items())
            advice = f"write one of: {known}" if known else "it has none: leave acme.profile out"
            raise ForUser(f"the authority has no profile {wanted!r}", "acme.profile", advice)
        return wanted

    # validation

    def _validate(self, order: words.Order, wish: Wish) -> None:
        tasks = [task for url in order.authorisations if (task := self._task(url, wish))]
        if not tasks:
            return
        shown = [task.challenge for task in tasks if task.challenge]
        try:
            if shown:
                self.solver.show(shown)
            for task in tasks:
                self._answer(task)
            problems = [found for task in tasks if (found := self._waited(task))]
        finally:
            self._remove(shown)
        if problems:
            self.attempts.failed(dict.fromkeys(one.name for one in problems), self.now())
            raise refusals.of_several(problems, f"validation by {self.solver.kind}")
        self.attempts.went_well(_bare(wish.names), self.now())

    def _task(self, url: str, wish: Wish) -> Task | None:
        """What is to do for an authorisation; None when it is valid already."""
        found = self._authorisation(url)
        if found.name not in _bare(wish.names):
            raise words.Malformed("an authorisation for a name that was not ordered")
        match found.status:
            case "valid":
                return None
            case "pending":
                return self._chosen_offer(url, found)
        raise refusals.of(_failure(found), f"an order for {found.name}")

    def _chosen_offer(self, url: str, found: words.Authorisation) -> Task:
        offers = {offer.kind: offer for offer in reversed(found.offers)}
        known = offers.get(lasting.KIND)
        if known and self.persisted and self.persisted(found.name, known.issuers, found.wildcard):
            return Task(url, found.name, known, None)
        offer = offers.get(self.solver.kind)
        if offer is None:
            name = f"*.{found.name}" if found.wildcard else found.name
            advice = "set acme.challenge to one of these" + (
                "; a wildcard needs dns-01" if found.wildcard and self.solver.kind != "dns-01" else ""
            )
            what = f"the authority does not validate it by {self.solver.kind}, only by {', '.join(offers) or 'nothing'}"
            raise ForUser(what, name, advice)
        if not offer.token:
            raise words.Malformed("a challenge without a token")
        key = self.talk.key
        text = key.dns_text(offer.token) if offer.kind == "dns-01" else key.authorisation(offer.token)
        return Task(url, found.name, offer, Challenge(self.solver.kind, found.name, offer.token, text))

    def _answer(self, task: Task) -> None:
        try:
            self.talk.post(task.offer.url, {}, f"the challenge for {task.name}")
        except Refusal:
            # the answer to the first try may have been lost: then it is under way, or done
            found = self._authorisation(task.url)
            states = {offer.status for offer in found.offers if offer.url == task.offer.url}
            if found.status == "pending" and states <= {"pending"}:
                raise

    def _waited(self, task: Task) -> words.Problem | None:
        """None when the name is valid now; else why not."""
        what = f"validation of {task.name}"
        found = words.authorisation(self.talk.poll(task.url, what, lambda one: one.get("status") not in WAITING))
        return None if found.status == "valid" else _failure(found)

    def _authorisation(self, url: str) -> words.Authorisation:
        return words.authorisation(words.document(self.talk.post(url, None, "an authorisation").body))

    def _remove(self, shown: Sequence[Challenge]) -> None:
        """Never in the way of the certificate, nor of the reason why there is none."""
        try:
            if shown:
                self.solver.remove(shown)
        except Deliberate as error:
            self.log("acme.challenges.left", names=_bare(one.name for one in shown), why=str(error))

    # the certificate

    def _finalised(self, order: words.Order, wish: Wish) -> words.Order:
        what = f"the certificate for {_some(wish.names)}"
        order = self._polled(order.url, what, lambda one: one.get("status") != "pending")
        if order.status == "ready":
            order = self._finalise(order, wish, what)
        if not (order.status == "valid" and order.certificate):
            order = self._polled(
                order.url, what, lambda one: one.get("status") == "invalid" or bool(one.get("certificate"))
            )
        if not order.certificate or order.status == "invalid":
            raise refusals.of(order.error or words.Problem("", "the order became invalid"), what)
        return order

    def _finalise(self, order: words.Order, wish: Wish, what: str) -> words.Order:
        der = x509.load_pem_x509_csr(wish.csr).public_bytes(Encoding.DER)
        request = {"csr": base64.urlsafe_b64encode(der).rstrip(b"=").decode("ascii")}
        try:
            return words.order(words.document(self.talk.post(order.finalize, request, what).body), order.url)
        except Refusal:
            found = self._polled(order.url, what, lambda _: True)
            if found.status not in ("processing", "valid"):
                raise
            return found

    def _polled(self, url: str, what: str, done: Callable[[words.Json], bool]) -> words.Order:
        return words.order(self.talk.poll(url, what, done), url)

    def _chosen(self, order: words.Order, wish: Wish) -> Chain:
        """The chain that the authority prefers, or the one that the wish does."""
        first, others = self._downloaded(order.certificate, wish)
        if not wish.preferred_chain or verified.leads_to(first, wish.preferred_chain):
            return first
        for url in others[:MOST_CHAINS]:
            # one that cannot be used is no reason to throw the first away
            with suppress(Deliberate):
                other, _ = self._downloaded(words.address(url, "an alternate chain"), wish)
                if verified.leads_to(other, wish.preferred_chain):
                    return other
        self.log("acme.chain.missing", wanted=wish.preferred_chain, now="the authority's own choice")
        return first

    def _downloaded(self, url: str, wish: Wish) -> tuple[Chain, list[str]]:
        reply = self.talk.post(url, None, "the certificate")
        chain = verified.check(reply.body, wish.csr, wish.names, self.now(), url)
        return chain, _ALTERNATE.findall(reply.headers.get("link", ""))


def _failure(found: words.Authorisation) -> words.Problem:
    """Why a name is not valid: what its challenges say."""
    errors = [offer.error for offer in found.offers if offer.error]
    if not errors:
        return words.Problem("", f"its authorisation is {found.status[:40]}", name=found.name)
    return replace(errors[0], name=found.name)


def _bare(given: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name.removeprefix("*.") for name in given))


def _some(given: Sequence[str]) -> str:
    more = len(given) - 3
    return ", ".join(given[:3]) + (f" and {more} more" if more > 0 else "")
