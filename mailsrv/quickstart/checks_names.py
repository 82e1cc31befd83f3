"""What the DNS says before we say anything: the resolver, the zone, the host's name, reverse names. Pure.

Standards: RFC 4035 (validation), RFC 7672 2.1.1, RFC 7505 (null MX), RFC 5321 5.1 (MX), RFC 1912 2.1 (reverse names).
"""

from __future__ import annotations

from collections.abc import Iterator

from dnsops.base.printable import printable
from dnsops.records import names
from dnsops.resolve.answer import Answer, Security
from mailsrv.quickstart import facts
from mailsrv.quickstart.finding import Finding, fine, trouble, warning

LONGEST = 200  # characters of somebody else's text


def validation(fact: facts.Validation) -> Iterator[Finding]:
    """A signed name must be proven, a forged one refused; silence about forged names means nothing."""
    advice = "apt install libunbound8, and let this machine ask the DNS (UDP and TCP port 53)"
    believed = [one.name for one in fact.forged if one.items and one.security is not Security.BOGUS]
    if not fact.signed.proven:
        why = fact.signed.why or fact.signed.security.value
        yield trouble(
            "resolver", f"a signed name is not proven ({_short(why)}): no DANE, no safe change of keys", advice
        )
    elif believed:
        yield trouble("resolver", f"it believes forged answers ({', '.join(believed)})", advice)
    else:
        yield fine("resolver", f"validates DNSSEC: {fact.signed.by}")


def zone(fact: facts.Zone) -> Iterator[Finding]:
    """Whether it is there, signed, and whether mail already goes somewhere."""
    if fact.soa.rcode == "NXDOMAIN":
        yield trouble("domain", f"{fact.domain} is not in the DNS", "register it, and let its zone be made first")
        return
    yield _signed(fact)
    yield from _mail(fact)


def _signed(fact: facts.Zone) -> Finding:
    domain, security = fact.domain, fact.soa.security
    if security is Security.SECURE:
        return fine("DNSSEC", f"{domain} is signed, and its parent vouches for it")
    if security is Security.BOGUS:
        why = f"{domain}: {security.value} ({_short(fact.soa.why)})"
        return trouble(
            "DNSSEC", why, "mend or remove the DS record at the registrar: validating servers see no mail here"
        )
    if security is Security.FAILED:
        return warning("DNSSEC", f"{domain} could not be asked ({_short(fact.soa.why)})", "try again in a while")
    if _has(fact.dnskey, "DNSKEY"):
        advice = (
            "give the registrar the DS record that the holder of the zone shows (Cloudflare: DNS, Settings, DNSSEC)"
        )
        return warning("DNSSEC", f"{domain} is signed, but its parent has no DS record: TLSA counts for nobody", advice)
    advice = "turn DNSSEC on where the zone is held, then give the registrar its DS record"
    return warning("DNSSEC", f"{domain} is not signed: no DANE, and records can be forged", advice)


def _mail(fact: facts.Zone) -> Iterator[Finding]:
    targets = sorted(str(item).partition(" ")[2].rstrip(".") for item in fact.mx.items if item.type == "MX")
    others = [name for name in targets if name and name != fact.hostname]
    if others:
        advice = "move its mailboxes first; then remove that MX record where the zone is held, and run this again"
        told = ", ".join(map(printable, others[:5]))
        yield trouble("existing mail", f"mail for {fact.domain} goes to {told} now", advice)
    elif targets and not any(targets):
        advice = "remove the MX record `0 .` where the zone is held, and run this again"
        yield trouble("existing mail", f"{fact.domain} says that it takes no mail (null MX, RFC 7505)", advice)
    elif targets:
        yield fine("existing mail", f"{fact.domain} has its mail here already")
    else:
        yield fine("existing mail", f"none for {fact.domain}")


def hostname(fact: facts.HostName) -> Iterator[Finding]:
    """Nothing, or us."""
    there = sorted({str(item) for answer in fact.found for item in answer.items})
    others = [one for one in there if one not in fact.wanted]
    alias = next((one.canonical for one in fact.found if one.canonical and one.canonical != fact.hostname), "")
    if alias:
        advice = "name the host itself with --hostname, or remove the CNAME: an MX must not lead to an alias"
        yield trouble("host name", f"{fact.hostname} is an alias of {printable(alias)}", advice)
    elif others:
        advice = "choose another --hostname, or correct the records there; `mailsrv dns plan` shows them"
        yield warning("host name", f"{fact.hostname} leads to {', '.join(others[:5])} too, not only to us", advice)
    else:
        yield fine("host name", f"{fact.hostname} {'leads here' if there else 'is free'}")
    yield from _trap(fact)


def _trap(fact: facts.HostName) -> Iterator[Finding]:
    """Debian writes 127.0.1.1 for the host's own name: who looks it up here talks to himself."""
    loops = [one for one in fact.here if one.startswith("127.") or one == "::1"]
    if loops:
        advice = "write the public address there, or remove the line"
        yield warning("host name", f"/etc/hosts has {loops[0]} for {fact.hostname}", advice)


def reverse(fact: facts.Reverse) -> Iterator[Finding]:
    """Many servers take no mail from an address without a name, or with one that leads elsewhere."""
    advice = f"have it set to {fact.hostname} by whoever rents you the address (their control panel)"
    if fact.answer.security is Security.FAILED:
        yield warning("reverse name", f"{fact.address} could not be asked ({_short(fact.answer.why)})", advice)
    elif not fact.names:
        yield warning("reverse name", f"{fact.address} has none: many servers refuse its mail", advice)
    elif fact.hostname in fact.names:
        yield fine("reverse name", f"{fact.address} is {fact.hostname}")
    else:
        told = ", ".join(map(printable, fact.names[:3]))
        yield warning("reverse name", f"{fact.address} is called {told}, not {fact.hostname}", advice)


def pointed(answer: Answer) -> tuple[str, ...]:
    """The names in a PTR answer, in the one spelling."""
    texts = (str(item).rstrip(".").lower() for item in answer.items if item.type == "PTR")
    return tuple(sorted(text for text in texts if text and len(text) <= names.LONGEST_NAME))


def _has(answer: Answer, type_name: str) -> bool:
    return any(item.type == type_name for item in answer.items)


def _short(text: str) -> str:
    return printable(text[:LONGEST])
