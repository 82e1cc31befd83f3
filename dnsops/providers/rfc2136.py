"""A name server that takes dynamic updates: knot, BIND, PowerDNS and whoever else speaks RFC 2136 with TSIG.

    write:  find the zones (SOA at that server)  ->  one UPDATE with what is new  ->  one UPDATE with what goes
An UPDATE may be sent again after a lost answer: adding what is there and deleting what is gone change nothing (3.4.2).
A server that signs inline (knot, BIND) acknowledges an update a moment before it shows it.
Records carry no marks here: `Mark.UNKNOWN`. A record joins its RRset's TTL (RFC 2181 5.2), or gives it a new one: knot does
the former, BIND the latter.
Standards: RFC 2136, RFC 8945, RFC 5936.
Fails by: `ForUser` with the server's reason and what to configure there; `Later` when it does not answer.
Limits: LARGEST_UPDATE bytes a message; the rest in exchange.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser
from dnsops.providers.door import Access, Change, Grade, Held, Mark, Swap
from dnsops.providers.exchange import Exchange, Lost, NoTransfer
from dnsops.providers.identity import asked, open_swap, tidy
from dnsops.providers.patience import Patience
from dnsops.records.names import canonical, under
from dnsops.records.rdata import Record, from_wire, wire

if TYPE_CHECKING:
    import dns.message
    import dns.rrset
    import dns.update

LARGEST_UPDATE = 48_000
GAPS = (0.5, 2.0)
# made by the server's signer, and not ours to plan with; TYPE65534 is how BIND notes that it is at work
GENERATED = ("RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "DNSKEY", "CDS", "CDNSKEY", "TYPE65534")
TYPES = ("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "PTR", "SRV", "SVCB", "TLSA", "TXT", "URI")
PROBE = "mailsrv-no-such-name"
NOTHING = {"TXT": '"mailsrv"', "TLSA": "3 1 0 00", "MX": "0 ."}  # of the types that a mail domain needs

# What a server's refusal of an update means, and what to do there. {key}, {zone}, {server}
REFUSALS = {
    "REFUSED": (
        "it does not let the key {key} change the zone {zone} (REFUSED)",
        "BIND: update-policy {{ grant {key} zonesub ANY; }}; knot: an acl with key {key} and action update",
    ),
    "NOTAUTH": (
        "it is not the primary of the zone {zone}, or does not know the key {key} (NOTAUTH)",
        "name the primary server, and add the key to it",
    ),
    "NOTZONE": ("a name lies outside of the zone {zone} (NOTZONE)", "name a host in this zone"),
    "NOTIMP": ("it takes no dynamic updates (NOTIMP)", "allow updates of {zone} there"),
    "FORMERR": ("it does not understand the update (FORMERR)", "report the server's kind and version"),
    "YXRRSET": (
        "a CNAME stands, or would, at a name that has other records (YXRRSET)",
        "remove the CNAME, or use its target",
    ),
    "YXDOMAIN": ("other records stand at a name that should become a CNAME (YXDOMAIN)", "remove them first"),
}


class Rfc2136:
    """One server and the zones that one key may change there."""

    def __init__(self, exchange: Exchange, sleep: Callable[[float], None] = time.sleep) -> None:
        self._exchange, self._sleep = exchange, sleep
        self._lock = Lock()
        self._zones: dict[str, str] = {}  # by name

    def zone_of(self, name: str) -> str:
        return self._zone(canonical(name), self._patience())

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        name, type_name = canonical(name), type_name.upper()
        patience = self._patience()
        if type_name and not below:
            found = self._asked(name, type_name, patience)
            if not found or not self._from_wildcard(name, type_name, patience):
                return _held(found)
        zone = self._zone(name, patience)
        try:
            everything = self._transferred(zone, patience)
        except NoTransfer as error:
            if below:
                advice = f"allow {self._exchange.key.name} to transfer {zone} (knot: action transfer)"
                raise ForUser(f"it does not hand out the zone {zone} ({error})", self._where, advice) from None
            types = (type_name,) if type_name else TYPES
            everything = [record for one in types for record in self._asked(name, one, patience)]
        return _held(record for record in everything if asked(record, name, type_name, below))

    def write(self, change: Change) -> None:
        change, patience = tidy(change), self._patience()
        adding, removing = self._by_zone(change.add, patience), self._by_zone(change.remove, patience)
        for zone, records in adding.items():
            self._update(zone, records, self._addition, patience)
        for swap in change.swap:
            self._swap(swap, patience)
        for zone, records in removing.items():
            self._update(zone, records, self._removal, patience)

    def check(self, zones: Sequence[str]) -> tuple[Access, ...]:
        """Whether the key may transfer each zone and change it: what is not there is deleted, which changes nothing."""
        return tuple(self._access(canonical(zone)) for zone in zones)

    def _access(self, name: str) -> Access:
        patience = self._patience()
        try:
            zone = self._zone(name, patience)
            self._check(zone, self._insist(partial(_no_change, zone), patience))
            self._transferred(zone, patience)
        except ForUser as error:
            return Access(name, Grade.LACKING, error.what, error.advice)
        except NoTransfer as error:
            advice = f"allow {self._exchange.key.name} to transfer {zone} (knot: action transfer; BIND: allow-transfer)"
            return Access(zone, Grade.LACKING, f"the key may change it, but not read it whole ({error})", advice)
        return Access(zone, Grade.FINE, "the key can read and change it")

    @property
    def _where(self) -> str:
        return str(self._exchange.server)

    def _patience(self) -> Patience:
        return Patience(self._sleep, GAPS)

    # updates

    def _update(
        self,
        zone: str,
        records: list[Record],
        form: Callable[[str, list[Record], Patience], dns.update.UpdateMessage],
        patience: Patience,
    ) -> None:
        for piece in _pieces(records):
            # formed anew for each try: what is asked beforehand may be different after a lost answer
            self._check(zone, self._insist(partial(form, zone, piece, patience), patience))

    def _addition(self, zone: str, records: list[Record], patience: Patience) -> dns.update.UpdateMessage:
        """Adds, provided that no CNAME stands there: the server would skip such an addition in silence (3.4.2.2)."""
        update = _update_of(zone)
        for record in records:
            if record.type == "CNAME":
                if record in self._asked(record.name, "CNAME", patience):
                    continue
                update.absent(f"{record.name}.")
            else:
                update.absent(f"{record.name}.", "CNAME")
            update.add(f"{record.name}.", record.ttl, record.type, str(record.data))
        return update

    def _removal(self, zone: str, records: list[Record], patience: Patience) -> dns.update.UpdateMessage:
        update = _update_of(zone)
        for record in records:
            update.delete(f"{record.name}.", record.type, str(record.data))
        return update

    def _swap(self, swap: Swap, patience: Patience) -> None:
        """One UPDATE, which the server carries out only where the RRsets are still those that we read (3.2.3)."""
        import dns.rcode

        zone = self._zone(swap.old[0].name, patience)
        answer = self._insist(partial(self._swapping, zone, swap, patience), patience)
        while answer.rcode() == dns.rcode.NXRRSET:
            patience.rest(f"{swap.old[0].name} changes while we change it")
            answer = self._insist(partial(self._swapping, zone, swap, patience), patience)
        self._check(zone, answer)

    def _swapping(self, zone: str, swap: Swap, patience: Patience) -> dns.update.UpdateMessage:
        """The swap; an UPDATE that does nothing when it was done already."""
        update, name = _update_of(zone), swap.old[0].name
        types = dict.fromkeys(record.type for record in (*swap.old, *swap.new))
        there = [record for one in types for record in self._asked(name, one, patience)]
        if not open_swap(swap, there):
            return update
        for record in there:
            update.present(f"{name}.", record.type, str(record.data))
        if any(record.type == "CNAME" for record in swap.new):
            for other in set(TYPES) - set(types):  # beside others the server would skip it in silence (3.4.2.2)
                update.absent(f"{name}.", other)
        for record in swap.old:
            update.delete(f"{name}.", record.type, str(record.data))
        for record in swap.new:
            update.add(f"{name}.", record.ttl, record.type, str(record.data))
        return update

    def _check(self, zone: str, answer: dns.message.Message) -> None:
        """NOERROR, or the reason in words."""
        import dns.rcode

        code = dns.rcode.to_text(answer.rcode())
        if code == "NOERROR":
            return
        names = {"key": self._exchange.key.name, "zone": zone, "server": self._where}
        what, advice = REFUSALS.get(code, (f"it refused the update ({code})", "look into the server's log"))
        raise ForUser(what.format(**names), self._where, advice.format(**names))

    # questions

    def _asked(self, name: str, type_name: str, patience: Patience) -> list[Record]:
        """One RRset, from the server itself."""
        answer = self._question(name, type_name, patience)
        # a delegation is told by pointing to it (RFC 1034 4.3.2, 3b)
        told = answer.authority if type_name == "NS" and not _authoritative(answer) else answer.answer
        rrsets = [one for one in told if _name(one) == name and _type(one) == type_name]
        if not rrsets and not _authoritative(answer):
            raise self._not_here(name)
        return [record for rrset in rrsets for record in _records(rrset)]

    def _from_wildcard(self, name: str, type_name: str, patience: Patience) -> bool:
        """Whether a wildcard may have made the answer: a sibling that nobody made gets one too."""
        if name == self._zone(name, patience):
            return False
        return bool(self._asked(f"{PROBE}.{name.partition('.')[2]}", type_name, patience))

    def _transferred(self, zone: str, patience: Patience) -> list[Record]:
        while True:
            try:
                rrsets = [one for one in self._exchange.transfer(zone) if _type(one) not in GENERATED]
                return [record for rrset in rrsets for record in _records(rrset)]
            except Lost as error:
                patience.rest(str(error))

    def _question(self, name: str, type_name: str, patience: Patience) -> dns.message.Message:
        import dns.message
        import dns.rcode

        answer = self._insist(lambda: dns.message.make_query(f"{name}.", type_name, flags=0), patience)
        if answer.rcode() == dns.rcode.REFUSED:
            raise self._not_here(name)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            code = dns.rcode.to_text(answer.rcode())
            raise ForUser(f"it does not answer for {name} ({code})", self._where, "look into the server's log")
        return answer

    def _insist(self, form: Callable[[], dns.message.Message], patience: Patience) -> dns.message.Message:
        """The answer, after as many tries as patience allows."""
        import dns.rcode

        while True:
            try:
                answer = self._exchange.send(form())
                if answer.rcode() != dns.rcode.SERVFAIL:
                    return answer
                reason = f"{self._where} has a failure of its own (SERVFAIL)"
            except Lost as error:
                reason = str(error)
            patience.rest(reason)

    # zones

    def _by_zone(self, records: Iterable[Record], patience: Patience) -> dict[str, list[Record]]:
        grouped: dict[str, list[Record]] = {}
        for record in records:
            above = record.type == "DS" or (record.type == "NS" and not self._found_zone(record.name, patience))
            name = record.name.partition(".")[2] if above else record.name
            grouped.setdefault(self._zone(name, patience), []).append(record)
        return grouped

    def _zone(self, name: str, patience: Patience) -> str:
        """The zone of a name, as this server's SOA says it."""
        with self._lock:
            known = self._zones.get(name)
        zone = known or self._found_zone(name, patience)
        if not zone:
            raise self._not_here(name)
        with self._lock:
            self._zones[name] = zone
        return zone

    def _found_zone(self, name: str, patience: Patience) -> str:
        """Empty when the server refers us to others."""
        asking = name
        while asking:
            answer = self._question(asking, "SOA", patience)
            if not _authoritative(answer):
                break
            owners = [_name(one) for one in (*answer.answer, *answer.authority) if _type(one) == "SOA"]
            if owners and under(name, owners[0]):
                return owners[0]
            asking = asking.partition(".")[2]  # a CNAME stands here, and the SOA is its target's
        return ""

    def _not_here(self, name: str) -> ForUser:
        what = f"it is not authoritative for {name}"
        return ForUser(what, self._where, "name the primary server of its zone, or a host in a zone that it has")


def _held(records: Iterable[Record]) -> tuple[Held, ...]:
    return tuple(Held(record, Mark.UNKNOWN) for record in records)


def _pieces(records: list[Record]) -> list[list[Record]]:
    """The records in messages that fit into TCP's 64 KiB, with room for prerequisites and the signature."""
    pieces: list[list[Record]] = [[]]
    size = 0
    for record in records:
        length = 2 * len(record.name) + len(wire(record.data)) + 30
        if pieces[-1] and size + length > LARGEST_UPDATE:
            pieces.append([])
            size = 0
        pieces[-1].append(record)
        size += length
    return [piece for piece in pieces if piece]


def _update_of(zone: str) -> dns.update.UpdateMessage:
    import dns.update

    return dns.update.UpdateMessage(f"{zone}.")


def _no_change(zone: str) -> dns.update.UpdateMessage:
    """Deletes what is not there (RFC 2136 3.4.2.4): the server looks whether the key may, and finds nothing to do."""
    update = _update_of(zone)
    for type_name, text in NOTHING.items():
        update.delete(f"{PROBE}.{zone}.", type_name, text)
    return update


def _records(rrset: dns.rrset.RRset) -> list[Record]:
    name, type_name = _name(rrset), _type(rrset)
    return [Record(name, type_name, rrset.ttl, from_wire(type_name, rdata.to_wire() or b"")) for rdata in rrset]


def _name(rrset: dns.rrset.RRset) -> str:
    return rrset.name.to_text(omit_final_dot=True).lower()


def _type(rrset: dns.rrset.RRset) -> str:
    import dns.rdatatype

    return dns.rdatatype.to_text(rrset.rdtype)


def _authoritative(answer: dns.message.Message) -> bool:
    import dns.flags

    return bool(answer.flags & dns.flags.AA)
