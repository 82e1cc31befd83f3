"""What a person should know about one look at a TLSA RRset, as sentences: what, and what now. Pure."""

from __future__ import annotations

from datetime import timedelta

from dnsops.base.moment import Moment
from dnsops.certs.chain import matches
from dnsops.records.tlsa import Tlsa
from dnsops.rollover.ledger import Ledger
from dnsops.rollover.look import Finding, Look, Port, Shown, usable
from dnsops.rollover.machine import Phase, Step, Wanted


def findings(ledger: Ledger, look: Look, wanted: Wanted[Tlsa], result: Step[Tlsa], now: Moment) -> list[Finding]:
    """What a person should know about this look."""
    found = []
    if result.withheld:
        found.append(_withheld(look, wanted))
    if look.consensus.silent:
        names = ", ".join(f"{told.server}: {told.why or 'no answer'}" for told in look.consensus.silent)
        found.append(
            Finding(f"silent name servers: {names}", "no record is removed and no key switched until they answer")
        )
    if not look.consensus.told:
        found.append(Finding(f"no name server of {look.place} is known", "no record is removed and no key switched"))
    for port in look.ports:
        found += [
            finding for shown in port.shown for finding in _of_address(port, shown, look, wanted, result, ledger, now)
        ]
    left = look.present - frozenset(result.life.stages)
    found += [Finding(f"foreign record left alone: {record.short}", trouble=False) for record in sorted(left)]
    return found + _kept(ledger, look, wanted)


def _kept(ledger: Ledger, look: Look, wanted: Wanted[Tlsa]) -> list[Finding]:
    """Records that stay for the sake of ports that nobody told us about in this run."""
    read = {port.answer.name for port in look.ports if port.current}
    found = []
    for record in sorted(wanted.kept & look.present):
        names = ", ".join(sorted(ledger.users.get(record, frozenset()) - read)) or "somebody else"
        advice = "name that port in the same run; --adopt once when it is gone for good"
        found.append(Finding(f"{record.short} is kept for {names}", advice, trouble=False))
    return found


def _withheld(look: Look, wanted: Wanted[Tlsa]) -> Finding:
    """Why the first record of a name is not published."""
    odd = [port for port in look.ports if not _satisfied(port, wanted)] or list(look.ports)
    port = odd[0]
    if not any(shown.chain for shown in port.shown):
        silence = "; ".join(f"{shown.address}: {shown.error}" for shown in port.shown) or "it has no address"
        face = f"port {port.port} of {port.host} shows no certificate ({silence})"
    else:
        face = f"port {port.port} of {port.host} shows another key than the source's"
    return Finding(
        f"{look.place}: not published, since {face}",
        "reload the server so that it shows the source's certificate, or take the key from the wire with "
        f"--source starttls:{port.host}:{port.port}; --no-probe if this machine cannot reach the port",
    )


def _satisfied(port: Port, wanted: Wanted[Tlsa]) -> bool:
    chains = [shown.chain for shown in port.shown if shown.chain]
    return bool(chains) and all(any(matches(record, chain) for record in wanted.all) for chain in chains)


def _of_address(
    port: Port, shown: Shown, look: Look, wanted: Wanted[Tlsa], result: Step[Tlsa], ledger: Ledger, now: Moment
) -> list[Finding]:
    """What one address of a port shows that it should not."""
    at = f"{port.host} [{shown.address}]:{port.port}"
    if shown.chain is None:
        return [] if shown.unroutable else [Finding(f"{at} shows no certificate: {shown.error}")]
    known = any(matches(record, shown.chain) for record in wanted.all)
    acted_on = usable(look)
    if acted_on and not any(matches(record, shown.chain) for record in acted_on):
        what = f"{at}: senders that verify refuse this key{_since(ledger, look, now)}: no published record matches it"
        advice = "its record is being published" if known else "the source does not know this key: reload the server"
        return [Finding(what, advice, not known, port.host)]
    if known:
        return []
    ripe = all(result.life.phase(record) is Phase.RIPE for record in wanted.current)
    advice = (
        "reload the server" if ripe else "do not reload the server yet: resolvers may not know its new key's record"
    )
    return [Finding(f"{at} still shows a key that the source no longer has", advice, host=port.host)]


def _since(ledger: Ledger, look: Look, now: Moment) -> str:
    """For how long, as far as we know."""
    if ledger.matched is None:
        return ""
    minutes = max(now.wall - ledger.matched.wall, timedelta(0)).total_seconds() / 60
    return f" since at most {minutes:.0f} min, and for up to {look.ttl} s more where the old answer is cached"
