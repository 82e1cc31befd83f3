"""Our records in octoDNS's form, which knows RRsets only: what is there, and the changes that add or take away single records.

    there            add 2 records                   remove one
    nothing          Create                          -
    an RRset         Update: its values and ours     Update: its values without ours; Delete when none is left

Values that stay are handed back as octoDNS read them, so that only it has a say in how they look.
Fails by: `ForUser` for a record that octoDNS has no form for, and for a CNAME beside others.
Limits: TXT with quotes, backslashes or other octets than ASCII is not written: plugins differ in what they make of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dnsops.base.errors import ForUser
from dnsops.providers.door import Swap
from dnsops.providers.identity import asked, open_swap
from dnsops.records.names import longest_suffix
from dnsops.records.rdata import Generic, Rdata, Record, parse, strings, txt

if TYPE_CHECKING:
    from octodns.record.change import Change
    from octodns.zone import Zone

AT_THE_CUT = ("NS", "DS", "A", "AAAA")
AWKWARD = frozenset(b'"\\')


def records(zone: Zone) -> Iterator[Record]:
    """Everything in a zone. What is none of DNS's types, an ALIAS perhaps, is shown as octoDNS writes it."""
    for one in zone.records:
        for data, _ in _values(one):
            yield Record(one.fqdn.removesuffix(".").lower(), one._type, one.ttl, data)


def at(zone: Zone, name: str, type_name: str, below: bool) -> list[Record]:
    """The records of a zone that a reader asked for."""
    return [record for record in records(zone) if asked(record, name, type_name, below)]


def addition(zone: Zone, given: Sequence[Record], renew: bool) -> Change | None:
    """What adds these records of one name and type; nothing when they are there. renew: also for a TTL alone."""
    from octodns.record.change import Create, Update

    for record in given:
        _check_cut(zone, record)
    new = _made(zone, given)
    there = zone.get_type(new.name, new._type)
    _check_alias(zone, new, there)
    if there is None:
        return Create(new)
    present, wanted = dict(_values(there)), dict(_values(new))
    missing = [value for data, value in wanted.items() if data not in present]
    whole = set(present) <= set(wanted)  # nobody else's record stands there: the TTL is ours to say
    if not missing and not (renew and whole and there.ttl != new.ttl):
        return None
    changed = _with(there, [*present.values(), *missing])
    changed.ttl = new.ttl if whole else there.ttl
    return Update(there, changed)


def removal(zone: Zone, given: Sequence[Record]) -> Change | None:
    """What removes these records of one name and type; nothing when they are gone."""
    from octodns.record.change import Delete, Update

    there = zone.get_type(_host(zone, given[0].name), given[0].type)
    if there is None:
        return None
    present, gone = dict(_values(there)), {_joined(record.data) for record in given}
    kept = [value for data, value in present.items() if data not in gone]
    if len(kept) == len(present):
        return None
    return Update(there, _with(there, kept)) if kept else Delete(there)


def exchange(swap: Swap, zone: Zone, renew: bool) -> list[Change]:
    """What a swap changes, removals first; nothing when it is done. renew: also for a TTL alone."""
    place = swap.old[0].name
    there = [record for record in records(zone) if record.name == place]
    same = {_key(record) for record in swap.old} == {_key(record) for record in swap.new}
    if (same and not renew) or not open_swap(swap, there, _key):
        return []
    gone = {_key(record) for record in swap.old}
    if any(record.type == "CNAME" for record in swap.new) and any(_key(record) not in gone for record in there):
        raise ForUser("an alias would stand beside other records", place, "remove them first")
    types = dict.fromkeys(record.type for record in (*swap.old, *swap.new))
    changes = [_exchanged(zone, place, kind, swap) for kind in types]
    return sorted(changes, key=lambda change: change.new is not None)


def _exchanged(zone: Zone, place: str, kind: str, swap: Swap) -> Change:
    """One type's part of a swap."""
    from octodns.record.change import Create, Delete, Update

    there, new = zone.get_type(_host(zone, place), kind), [record for record in swap.new if record.type == kind]
    gone = {_joined(record.data) for record in swap.old}
    kept = {data: value for data, value in _values(there) if data not in gone} if there else {}
    if not new:
        return Update(there, _with(there, list(kept.values()))) if kept else Delete(there)
    made = _made(zone, new)
    if there is None:
        return Create(made)
    changed = _with(there, list({**dict(_values(made)), **kept}.values()))
    changed.ttl = there.ttl if kept else made.ttl
    return Update(there, changed)


def _key(record: Record) -> tuple[str, str, Rdata]:
    return record.name, record.type, _joined(record.data)


def check(record: Record) -> None:
    """What octoDNS would write differently from what we mean."""
    if record.type == "TXT" and any(octet in AWKWARD or octet > 126 for octet in b"".join(strings(record.data))):
        advice = "write it without them, or by another provider"
        raise ForUser("octoDNS's plugins do not agree about quotes, backslashes and 8-bit in TXT", record.name, advice)


def _check_cut(zone: Zone, record: Record) -> None:
    """A name below a delegation is not served from here."""
    apex = zone.name.removesuffix(".")
    cuts = {one.fqdn.removesuffix(".") for one in zone.records if one._type == "NS" and one.name}
    cut = longest_suffix(record.name, list(cuts))
    if cut and not (record.type in AT_THE_CUT or record.name == apex):
        raise ForUser(f"{cut} is delegated to other name servers", record.name, f"use the provider of {cut}")


def _made(zone: Zone, given: Sequence[Record]) -> Any:
    """Records of one name and type as octoDNS's one."""
    from octodns.record import Record as Theirs
    from octodns.record.exception import RecordException
    from octodns.record.rr import Rrset

    first = given[0]
    rrset = Rrset(f"{first.name}.", first.type, first.ttl, [str(record.data) for record in given])
    try:
        [made] = Theirs.from_rrsets(zone, [rrset], lenient=True)
    except (RecordException, ValueError, KeyError) as error:
        raise ForUser(f"octoDNS has no form for this {first.type} record ({error})", first.name) from None
    return made


def _values(record: Any) -> Iterator[tuple[Rdata, Any]]:
    """Each value of a record: what it means, and as octoDNS has it."""
    own = record.values if hasattr(record, "values") else [record.value]
    try:
        texts = record.to_rrset().rdatas
    except (AttributeError, ValueError, LookupError):  # URLFWD and its like are no records
        texts = [str(value) for value in own]
    for text, value in zip(texts, own, strict=False):
        yield _meant(record._type, text), value


def _meant(kind: str, text: str) -> Rdata:
    try:
        return _joined(parse(kind, text))
    except ForUser:
        return Generic(kind, text)


def _joined(data: Rdata) -> Rdata:
    """octoDNS knows the sum of a TXT record's strings, and not where one ends."""
    return txt(b"".join(strings(data))) if data.type == "TXT" else data


def _with(record: Any, values: list[Any]) -> Any:
    """The same record with these values."""
    if hasattr(record, "values"):
        changed = record.copy()
        changed.values = sorted(values)
        return changed
    if len(values) > 1:
        raise ForUser(f"octoDNS holds one {record._type} record at a name", record.fqdn, "remove the other one first")
    return record.copy(value=values[0])


def _check_alias(zone: Zone, new: Any, there: Any) -> None:
    """RFC 2181 10.1: beside a CNAME stands nothing."""
    others = {one._type for one in zone.records if one.name == new.name} - {new._type}
    if new._type == "CNAME":
        if others:
            raise ForUser("other records stand at a name that should become a CNAME", new.fqdn, "remove them first")
    elif "CNAME" in others:
        raise ForUser("a CNAME stands at a name that should get other records", new.fqdn, "use its target")


def _host(zone: Zone, name: str) -> str:
    return str(zone.hostname_from_fqdn(f"{name}."))
