"""What the domains of the second opinion publish: DMARC and SPF records of every temper, keys good and bad.

publish(tree)              all of it, one transaction for each zone
signer("rsa", "nsec.org")  who signs; `keys` says what stands at that selector
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import cache

import dns.name
import dns.rdata
import dns.rdataset

from mailsrv.auth.keys import Signer
from tests.lab.dnstree import DnsTree, zone_of
from tests.lab.zones import TTL
from tests.mailsrv.auth.signers import pem

# author domains and their policies; what stands under a name that has none is judged by the record above it
POLICIES: dict[str, tuple[str, ...]] = {
    "example.org": ("v=DMARC1; p=reject; sp=quarantine; np=none; rua=mailto:d@example.org",),
    "sub.example.org": (),
    "own.example.org": ("v=DMARC1; p=none; adkim=s; aspf=s",),
    "deep.own.example.org": (),
    "late.example.org": ("p=none; v=DMARC1",),  # v= is not the first tag: no record
    "tested.example.org": ("v=DMARC1; p=reject; t=y",),
    "sampled.example.org": ("v=DMARC1; p=quarantine; pct=0",),
    "nsec.org": ("v=DMARC1;p=quarantine;adkim=s;aspf=s;sp=reject",),
    "news.nsec.org": (),
    "nods.org": ("v=DMARC1; p=none; sp=reject",),
    "www.nods.org": (),
    "unsigned.org": (),
    "expired.org": (),  # every answer is bogus
}
ODD_POLICIES: dict[str, tuple[str, ...]] = {
    "ghost.example.org": (),  # no such name
    "two.example.org": ("v=DMARC1; p=none", "v=DMARC1; p=reject"),
    "odd.example.org": ("v=DMARC1; p=banana; rua=mailto:d@example.org",),
    "mute.example.org": ("v=DMARC1; p=banana",),
    "apart.example.org": ("v=DMARC1; p=reject; psd=n",),
    "spaced.example.org": ("v=DMARC1 ;p = reject ; adkim = s;",),
}
SENDERS: dict[str, tuple[str, ...]] = {
    "example.org": ("v=spf1 ip4:192.0.2.25 include:_spf.example.org -all",),
    "sub.example.org": ("v=spf1 mx:example.org ip6:2001:db8::/64 ~all",),
    "own.example.org": ("v=spf1 exists:%{l}.%{ir}.e.example.org ?all",),
    "deep.own.example.org": (),
    "apart.example.org": ("V=SPF1 IP4:192.0.2.25/31 IP6:2001:DB8::25 -ALL",),
    "spaced.example.org": ("v=spf1  ip4:192.0.2.25   unknown=1  -all ",),
    "nsec.org": ("v=spf1 a mx/24 redirect=_spf.example.org",),
    "news.nsec.org": ("v=spf1 redirect=nothing.nsec.org",),
    "unsigned.org": (),
    "expired.org": (),
}
ODD_SENDERS: dict[str, tuple[str, ...]] = {
    "two.example.org": ("v=spf1 ip4:192.0.2.99 -all", "v=spf1 -all"),
    "odd.example.org": ("v=spf1 ipv4:192.0.2.25 -all",),
    "mute.example.org": ("v=spf1 include:mute.example.org -all",),
    "late.example.org": ("v=spf1 -all ip4:192.0.2.25",),
    "tested.example.org": ("v=spf1 " + " ".join(f"include:_{n}.example.org" for n in range(11)) + " -all",),
    "sampled.example.org": ("v=spf1 a:v1.example.org a:v2.example.org a:v3.example.org ip4:192.0.2.0/24 -all",),
    "nods.org": ("v=spf1 include:nothing.nods.org -all",),
    "www.nods.org": ("v=spf1 exp=why.nods.org -ip4:203.0.113.0/24 +all",),
}
KEYED = ("example.org", "sub.example.org", "own.example.org", "nsec.org", "news.nsec.org", "nods.org", "unsigned.org")
OTHERS = {
    ("_spf.example.org", "TXT"): ('"v=spf1 ip4:203.0.113.7 -all"',),
    ("ann.25.2.0.192.e.example.org", "A"): ("127.0.0.2",),
    **{(f"_{n}.example.org", "TXT"): ('"v=spf1 ip4:192.0.2.99 -all"',) for n in range(11)},
    ("why.nods.org", "TXT"): ('"because"',),
    ("www.nods.org", "A"): ("192.0.2.25",),
    ("deep.own.example.org", "A"): ("192.0.2.25",),
}

KINDS = {"ed25519": ("ed25519", 256), "weak": ("rsa", 1024), "stranger": ("rsa", 1032)}


@cache
def loaded(kind: str, bits: int) -> Signer:
    """A key of this test run; reading it takes a tenth of a second."""
    return Signer.load("example.org", "any", pem(kind, bits))


def signer(selector: str, domain: str) -> Signer:
    """By selector: a key of its own kind, or the common RSA key."""
    return replace(loaded(*KINDS.get(selector, ("rsa", 2048))), domain=domain, selector=selector)


def keys(domain: str) -> dict[str, tuple[str, ...]]:
    """Key records of one domain, by selector."""
    rsa, ed25519 = str(signer("rsa", domain).record), str(signer("ed25519", domain).record)
    p = rsa.partition("p=")[2]
    return {
        "rsa": (rsa,),
        "ed25519": (ed25519,),
        "weak": (str(signer("weak", domain).record),),
        "stranger": (rsa,),  # not the key that signs
        "revoked": ("v=DKIM1; k=rsa; p=",),
        "kind": (ed25519,),  # of another kind than the signature
        "sha1": (f"v=DKIM1; h=sha1; k=rsa; p={p}",),
        "service": (f"v=DKIM1; k=rsa; s=tlsrpt; p={p}",),
        "testing": (f"v=DKIM1; k=rsa; t=y; p={p}",),
        "exact": (f"v=DKIM1; k=rsa; t=y:s; p={p}",),
        "bare": (f"p={p}",),
        "blanks": (f"v=DKIM1 ;\tk = rsa ; p = {p[:60]} {p[60:]} ; n=note",),
        "version": (f"v=DKIM2; k=rsa; p={p}",),
        "late": (f"k=rsa; p={p}; v=DKIM1",),
        "broken": (f"v=DKIM1; k=rsa; p={p[:-40]}",),
        "pair": (rsa, "v=DKIM1; k=rsa; p="),
    }


def records() -> dict[tuple[str, str], tuple[str, ...]]:
    """Everything, as the lab's tree takes it."""
    found: dict[tuple[str, str], tuple[str, ...]] = dict(OTHERS)
    for domain, policy in {**POLICIES, **ODD_POLICIES}.items():
        found[f"_dmarc.{domain}", "TXT"] = tuple(map(_quoted, policy))
    for domain, spf in {**SENDERS, **ODD_SENDERS}.items():
        found[domain, "TXT"] = tuple(map(_quoted, spf))
    for domain in KEYED:
        for selector, texts in keys(domain).items():
            found[f"{selector}._domainkey.{domain}", "TXT"] = tuple(map(_quoted, texts))
    return {key: texts for key, texts in found.items() if texts and zone_of(key[0]) != "expired.org"}


def publish(tree: DnsTree) -> tuple[str, ...]:
    """Put it into the tree, and wait until the resolver knows; the zones that were changed."""
    zones: dict[str, dict[tuple[str, str], dns.rdataset.Rdataset | None]] = defaultdict(dict)
    for (name, kind), texts in records().items():
        data = [dns.rdata.from_text("IN", kind, text, origin=dns.name.root, relativize=False) for text in texts]
        zones[zone_of(name)][name, kind] = dns.rdataset.from_rdata_list(TTL, data)
    for zone, changed in zones.items():
        tree.write(zone, changed)
        (name, kind), rdataset = list(changed.items())[-1]
        tree.wait_for(name, kind, [data.to_text(chunksize=0) for data in rdataset or ()])
    return tuple(zones)


def _quoted(text: str) -> str:
    return " ".join(f'"{text[at : at + 250]}"' for at in range(0, len(text), 250))
