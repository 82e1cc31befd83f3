"""What an authority issued, looked at before anybody uses it; and which of several chains. Pure.

Standards: RFC 8555 7.4.2 (chains, alternates), RFC 5280, RFC 8446 4.4.2 (order).
Fails by: `ForUser` that names everything wrong with the certificate; nothing is kept of it then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dnsops.base.errors import ForUser
from dnsops.certs.chain import Chain, disorder, from_pem
from dnsops.records import names

SKEW = timedelta(minutes=10)  # a clock may be as much behind the authority's, which dates certificates back anyway


def check(pem: bytes, csr: bytes, wanted: Sequence[str], now: datetime, where: str) -> Chain:
    """The chain of a PEM text, when it is for the request's key (PEM), for every name, in order, and valid now."""
    chain = from_pem(pem, where)
    found = [] if _same_key(chain, csr) else ["it was issued for another key than ours"]
    found += [f"it is not for {name}" for name in wanted if not _for(chain, name)]
    found += disorder(chain)
    found += _times(chain, now)
    if found:
        advice = "nothing is installed, the pair in use stays; look at acme.directory, and tell the authority"
        raise ForUser(f"what the authority issued cannot be used: {'; '.join(found)}", where, advice)
    return chain


def leads_to(chain: Chain, root: str) -> bool:
    """Whether a chain ends at, or just below, the authority of this common name."""
    last = x509.load_der_x509_certificate(chain.certificates[-1])
    named = [*last.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    named += last.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return any(str(one.value).casefold() == root.casefold() for one in named)


def _same_key(chain: Chain, csr: bytes) -> bool:
    ours = x509.load_pem_x509_csr(csr).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        theirs = chain.leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError:
        return False
    return ours == theirs


def _for(chain: Chain, name: str) -> bool:
    name = names.canonical(name)
    return name in chain.names if name.startswith("*.") else chain.covers(name)


def _times(chain: Chain, now: datetime) -> list[str]:
    if chain.not_before > now + SKEW:
        return [f"it is not valid before {chain.not_before:%Y-%m-%d %H:%M} UTC"]
    if chain.not_after <= now:
        return [f"it expired on {chain.not_after:%Y-%m-%d %H:%M} UTC"]
    return []
