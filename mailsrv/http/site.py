"""What stands at which name of ours: a request in, an answer out. Pure; sockets, proxies and signatures are `web`'s.

    site = Site.of(settings, documents)
    site.answer(Asked("GET", "mta-sts.example.org", "/.well-known/mta-sts.txt"))

    name                       what is there
    mta-sts.D                  /.well-known/mta-sts.txt                                            RFC 8461 3.3
    ua-auto-config.D           /.well-known/user-agent-configuration.json                          draft-ietf-mailmaint-pacc
    autoconfig.D, mail.D, D    /mail/config-v1.1.xml, /.well-known/autoconfig/mail/config-v1.1.xml
    autodiscover.D, mail.D, D  /autodiscover/autodiscover.xml, .json                               MS-OXDSCLI
    mail.D, D                  /profile.mobileconfig?email=..., and / for people
    hostname                   all but the first two

Every address of a domain of ours gets the same answer, whether somebody has it or not; every other domain's gets 404. Only a
valid address is ever repeated, and escaped. Standard: RFC 9110.
Limits: those of the formats. Fails by: an answer: 400, 404, 405, 421.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dnsops.wanted.uaac_document import PATH as UAAC
from mailsrv.directory.address import canonical_domain, parse
from mailsrv.http import autoconfig, autodiscover, mobileconfig, welcome
from mailsrv.http.offer import Offer, offer

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

POLICY = "/.well-known/mta-sts.txt"
POST_TO = "/autodiscover/autodiscover.xml"
ASK_AT = "/autodiscover/autodiscover.json"
ASK_FOR = f"{ASK_AT}/v1.0/"  # and the address
CHECKED = "public, max-age=300"  # what is the same for everybody
PRIVATE = "no-store"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: host without its port, path decoded; fields of its query by their names in lower case, the first of each."""

    method: str
    host: str
    path: str
    fields: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """what: for the log, "" for what nobody needs to know.  seal: the body is a profile that is to be signed."""

    status: int
    body: bytes
    type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()
    what: str = ""
    seal: bool = False


@dataclass(frozen=True, slots=True)
class Documents:
    """What DNS has an id or a hash of: the very bytes."""

    policy: bytes
    uaac: bytes


@dataclass(frozen=True, slots=True)
class Name:
    """A name that we answer to. places: what stands there.  domain: whose."""

    domain: str
    places: frozenset[str]


PLACES = {
    "mta-sts.": frozenset({"policy"}),
    "ua-auto-config.": frozenset({"uaac"}),
    "autoconfig.": frozenset({"autoconfig"}),
    "autodiscover.": frozenset({"autodiscover"}),
    "mail.": frozenset({"autoconfig", "autodiscover", "profile", "welcome"}),
    "": frozenset({"autoconfig", "autodiscover", "profile", "welcome"}),
}
SET_UP = frozenset().union(*PLACES.values()) - {"policy"}


@dataclass(frozen=True)
class Site:
    """names: every host name that is answered.  offers, documents: by domain."""

    names: Mapping[str, Name]
    offers: Mapping[str, Offer]
    documents: Mapping[str, Documents]

    @classmethod
    def of(cls, settings: Settings, documents: Mapping[str, Documents]) -> Site:
        """documents: of each domain for which there are some."""
        domains = [domain for domain in map(canonical_domain, settings.domains) if domain]
        shown = SET_UP | {"policy"} if settings.records.client_setup else frozenset({"policy"})
        names = {  # a domain itself comes last: mail.example.org may be one, beside example.org
            prefix + domain: Name(domain, places & shown)
            for prefix, places in PLACES.items()
            for domain in domains
            if settings.records.client_name or prefix != "mail."
        }
        if domains:
            _add_host(names, settings.hostname, domains, shown)
        return cls(names, {domain: offer(settings, domain) for domain in domains}, documents)

    def answer(self, asked: Asked) -> Answer:
        """To whoever asks."""
        name = self.names.get(asked.host)
        if name is None:
            return misdirected()
        path = asked.path.lower() if asked.path.lower().startswith("/autodiscover/") else asked.path
        place, method, page = PAGES.get(ASK_FOR if path.startswith(ASK_FOR) else path, _NOTHING)
        if place not in name.places:
            return not_here()
        if asked.method not in method.split("/"):
            return wrong_method(method)
        return page(self, name.domain, asked)

    def of_address(self, text: str) -> tuple[Offer, str] | None:
        """A domain's offer and the address in its one spelling; None when the domain is not ours."""
        mailbox = parse(text)
        found = self.offers.get(mailbox.domain) if mailbox else None
        return (found, str(mailbox)) if found and str(mailbox).isprintable() else None


def _add_host(names: dict[str, Name], hostname: str, domains: list[str], shown: frozenset[str]) -> None:
    """The host's own name is its domain's, or the first one's; it may be mail.D or D as well."""
    known = names.get(hostname)
    own = [domain for domain in domains if hostname.endswith(f".{domain}")]
    domain = known.domain if known else max(own, key=len, default=domains[0])
    places = (SET_UP & shown) - {"uaac"}
    names[hostname] = Name(domain, places | (known.places if known else frozenset()))


# the pages


def _policy(site: Site, domain: str, asked: Asked) -> Answer:
    found = site.documents.get(domain)
    return _same(found.policy, TEXT, "policy") if found else not_here()


def _uaac(site: Site, domain: str, asked: Asked) -> Answer:
    found = site.documents.get(domain)
    return _same(found.uaac, "application/json", "uaac") if found else not_here()


def _autoconfig(site: Site, domain: str, asked: Asked) -> Answer:
    text = asked.fields.get("emailaddress", "")
    found = site.of_address(text) if text else (site.offers[domain], "")
    return _same(autoconfig.document(found[0]), autoconfig.TYPE, "autoconfig") if found else not_here()


def _autodiscover(site: Site, domain: str, asked: Asked) -> Answer:
    try:
        wanted = autodiscover.asked(asked.body)
    except autodiscover.Unreadable:
        return Answer(400, autodiscover.error(600, "Invalid Request"), autodiscover.TYPE, _cached(PRIVATE))
    found = site.of_address(wanted.address)
    if found is None:
        return not_here()
    if not wanted.outlook:
        return _private(autodiscover.error(601, "Provider is not available"), autodiscover.TYPE, "autodiscover")
    return _private(autodiscover.document(*found), autodiscover.TYPE, "autodiscover")


def _pointer(site: Site, domain: str, asked: Asked) -> Answer:
    """An address is checked when there is one; that the answer is the same for all of a domain is plain to see."""
    after = asked.path[len(ASK_FOR) :] if len(asked.path) > len(ASK_FOR) else ""
    text = asked.fields.get("email") or after
    if text and site.of_address(text) is None:
        return not_here()
    if asked.fields.get("protocol", "").lower() != autodiscover.V1.lower():
        return Answer(400, autodiscover.no_protocol(), "application/json", _cached(PRIVATE))
    return _private(autodiscover.pointer(asked.host), "application/json", "autodiscover")


def _profile(site: Site, domain: str, asked: Asked) -> Answer:
    found = site.of_address(asked.fields.get("email", ""))
    body = mobileconfig.profile(*found) if found else None
    if found is None or body is None:
        return not_here()
    named = (("Content-Disposition", f'attachment; filename="{found[0].domain}.mobileconfig"'),)
    answer = _private(body, mobileconfig.TYPE, "profile")
    return replace(answer, headers=answer.headers + named, seal=True)


def _welcome(site: Site, domain: str, asked: Asked) -> Answer:
    return _same(welcome.page(site.offers[domain]), welcome.TYPE, "welcome")


def _nothing(site: Site, domain: str, asked: Asked) -> Answer:
    return not_here()


Page = Callable[[Site, str, Asked], Answer]
_NOTHING: tuple[str, str, Page] = ("nothing", "GET/HEAD", _nothing)
PAGES: dict[str, tuple[str, str, Page]] = {
    POLICY: ("policy", "GET/HEAD", _policy),
    UAAC: ("uaac", "GET/HEAD", _uaac),
    "/mail/config-v1.1.xml": ("autoconfig", "GET/HEAD", _autoconfig),
    "/.well-known/autoconfig/mail/config-v1.1.xml": ("autoconfig", "GET/HEAD", _autoconfig),
    POST_TO: ("autodiscover", "POST", _autodiscover),
    ASK_AT: ("autodiscover", "GET/HEAD", _pointer),
    ASK_FOR: ("autodiscover", "GET/HEAD", _pointer),
    welcome.PROFILE: ("profile", "GET/HEAD", _profile),
    "/": ("welcome", "GET/HEAD", _welcome),
}


# answers


def not_here() -> Answer:
    return Answer(404, b"there is nothing here\n", headers=_cached(PRIVATE))


def misdirected() -> Answer:
    """RFC 9110 15.5.20."""
    return Answer(421, b"not a name of this server\n", headers=_cached(PRIVATE))


def wrong_method(allowed: str) -> Answer:
    methods = allowed.replace("/", ", ")
    return Answer(405, f"only {methods}\n".encode(), headers=(*_cached(PRIVATE), ("Allow", methods)))


def _same(body: bytes, kind: str, what: str) -> Answer:
    return Answer(200, body, kind, _cached(CHECKED), what)


def _private(body: bytes, kind: str, what: str) -> Answer:
    return Answer(200, body, kind, _cached(PRIVATE), what)


def _cached(how: str) -> tuple[tuple[str, str], ...]:
    return (("Cache-Control", how),)
