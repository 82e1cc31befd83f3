"""Certificates: what they are, where they come from, and what DANE publishes of them.

Exit status 1 when a certificate shown is expired, not yet valid, for another host, or not its key's.
`cert show --json` prints {"certificates": [{"host", "source", "role", "certificate": {"names", "not_before", "not_after",
"days_left", "key", "issuers"} or null, "tlsa": [{"usage", "selector", "matching", "data", "of"}], "flaws": [text]}]}.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnsops.base.errors import Exit, ForUser, Misused
from dnsops.base.output import json_option, print_json, print_table
from dnsops.base.printable import printable
from dnsops.commands.cert_issue import install_, issue

if TYPE_CHECKING:
    from dnsops.certs.chain import Chain
    from dnsops.certs.generations import Generation
    from dnsops.records.tlsa import Tlsa

# usage, selector, matching type: DANE-EE of the leaf, DANE-TA of each issuer
LEAF_FORMS = ((3, 1, 1), (3, 1, 2), (3, 0, 1), (3, 0, 2))
ISSUER_FORMS = ((2, 1, 1), (2, 1, 2), (2, 0, 1), (2, 0, 2))


@dataclass(frozen=True)
class Found:
    """One certificate, or a key without one yet. records: each with what it is of, `leaf`, `key` or `issuer 1`."""

    host: str
    source: str
    role: str
    chain: Chain | None
    records: tuple[tuple[Tlsa, str], ...]
    flaws: tuple[str, ...] = ()


@click.group()
def cert() -> None:
    """Certificates: what they are, where they come from, and what DANE publishes of them."""


cert.add_command(issue)
cert.add_command(install_)


@cert.command()
@click.argument("source", required=False)
@click.option("--host", metavar="HOST", help="The mail server's name, which the certificate must have.")
@click.option("--certs", type=click.Path(path_type=Path), metavar="DIR", help="Where our own keys are.")
@json_option
@click.pass_context
def show(context: click.Context, source: str | None, host: str | None, certs: Path | None, as_json: bool) -> None:
    """Show the certificate of SOURCE (see `cert sources`), or without SOURCE our own keys, current and next."""
    from dnsops.base.clock import now

    wall = now().wall
    found = _from_source(source, host, wall) if source else _of_ours(certs, host, wall)
    if as_json:
        print_json({"certificates": [_document(one, wall) for one in found]})
    else:
        for one in found:
            _tell(one, wall)
    context.exit(Exit.FINDINGS if any(one.flaws for one in found) else Exit.OK)


@cert.command()
@json_option
def sources(as_json: bool) -> None:
    """List the kinds of sources: how each is written, what is read, what it needs."""
    from dnsops.certs.sources.door import KINDS

    if as_json:
        rows = [{"kind": k.name, "syntax": k.syntax, "reads": k.reads, "needs": k.needs} for k in KINDS]
        print_json({"sources": rows})
    else:
        print_table("", ("Source", "Reads", "Needs"), [(kind.syntax, kind.reads, kind.needs) for kind in KINDS])


def _from_source(spec: str, host: str | None, now: datetime) -> list[Found]:
    from dnsops.certs.chain import flaws
    from dnsops.certs.sources.door import parse
    from dnsops.records import names

    place = parse(spec)
    if not host:
        raise Misused("for which host?", "mailsrv cert show", f"write: cert show {spec} --host mx1.example.org")
    name = names.host(host, "--host")
    chain = place.find(name)
    return [Found(name, place.describe(), "", chain, _records(chain), tuple(flaws(chain, name, now)))]


def _of_ours(directory: Path | None, host: str | None, now: datetime) -> list[Found]:
    """Current and next of one host, or of all."""
    from dnsops.certs.generations import Generations, default_directory
    from dnsops.records import names

    ours = Generations(directory or default_directory())
    hosts = (names.host(host, "--host"),) if host else ours.hosts()
    pairs = [(role, of(name)) for name in hosts for role, of in (("current", ours.current), ("next", ours.next))]
    found = [_generation(pair, role, now) for role, pair in pairs if pair]
    if not found:
        advice = "name a SOURCE, such as starttls:mx1.example.org:25; `mailsrv cert sources` lists the kinds"
        raise ForUser("no keys of our own" + (f" for {host}" if host else ""), str(ours.directory), advice)
    return found


def _generation(pair: Generation, role: str, now: datetime) -> Found:
    from dnsops.certs.chain import flaws, spki_association

    if pair.chain is None:
        records = tuple((spki_association(pair.spki, 3, matching), "key") for matching in (1, 2))
        return Found(pair.host, str(pair.path), role, None, records)
    found = flaws(pair.chain, pair.host, now)
    if pair.spki != pair.chain.spki:
        found.append("key mismatch: key.pem is not the certificate's")
    return Found(pair.host, str(pair.path), role, pair.chain, _records(pair.chain), tuple(found))


def _records(chain: Chain) -> tuple[tuple[Tlsa, str], ...]:
    from dnsops.certs.chain import association

    leaf, issuers = chain.certificates[0], chain.certificates[1:]
    of_leaf = [(association(leaf, *form), "leaf") for form in LEAF_FORMS]
    of_issuers = [(association(d, *form), f"issuer {n}") for n, d in enumerate(issuers, 1) for form in ISSUER_FORMS]
    return (*of_leaf, *of_issuers)


def _document(found: Found, now: datetime) -> dict[str, object]:
    from dnsops.certs.chain import key_name

    chain = found.chain
    certificate = chain and {
        "names": chain.names,
        "not_before": chain.not_before.isoformat(),
        "not_after": chain.not_after.isoformat(),
        "days_left": _days_left(chain, now),
        "key": key_name(chain),
        "issuers": len(chain.certificates) - 1,
    }
    records = [
        {"usage": r.usage, "selector": r.selector, "matching": r.matching, "data": r.data.hex(), "of": of}
        for r, of in found.records
    ]
    facts: dict[str, object] = {"host": found.host, "source": found.source, "role": found.role}
    return {**facts, "certificate": certificate, "tlsa": records, "flaws": found.flaws}


def _tell(found: Found, now: datetime) -> None:
    """For people: what it is, its records, what is wrong with it."""
    title = f"{found.host}: {found.role + ', ' if found.role else ''}{found.source}"
    print_table(title, ("", ""), _lines(found, now))
    print_table("TLSA", ("Record", "Of"), [(str(record), of) for record, of in found.records])
    for flaw in found.flaws:
        click.secho(f"  ! {flaw}", fg="red")


def _lines(found: Found, now: datetime) -> list[tuple[str, str]]:
    from dnsops.certs.chain import key_name

    chain = found.chain
    if chain is None:
        return [("certificate", "none yet: this key is announced and waits for one")]
    days = _days_left(chain, now)
    left = f"{days} days left" if days >= 0 else f"expired {-days} days ago"
    return [
        ("names", printable(", ".join(chain.names[:20])) or "none"),
        ("valid", f"{chain.not_before:%Y-%m-%d %H:%M} to {chain.not_after:%Y-%m-%d %H:%M} UTC ({left})"),
        ("key", key_name(chain)),
        ("issuers", str(len(chain.certificates) - 1)),
    ]


def _days_left(chain: Chain, now: datetime) -> int:
    """Whole days; negative from the first moment after the end."""
    return (chain.not_after - now).days
