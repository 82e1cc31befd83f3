"""Short words for wishes and for what stands in a zone."""

from __future__ import annotations

from collections.abc import Iterable

from dnsops.plan.difference import Zone, difference
from dnsops.plan.door import Item, Plan
from dnsops.plan.order import changes
from dnsops.plan.ownership import Ledger, after, before
from dnsops.plan.safety import Limits
from dnsops.providers.door import Held, Mark
from dnsops.providers.memory import Memory
from dnsops.records.rdata import Record, parse, txt
from dnsops.wanted.door import Family, Wish

ZONE = "example.org"
LIMITS = Limits()


def record(line: str) -> Record:
    """`@ MX 10 mx1.example.org.`, `_dmarc TXT v=DMARC1; p=reject`, with ` ttl=60` at the end when it is not 300."""
    line, _, ttl = line.partition(" ttl=")
    name, kind, data = line.split(" ", 2)
    full = ZONE if name == "@" else f"{name}.{ZONE}"
    return Record(full, kind, int(ttl or 300), txt(data) if kind == "TXT" else parse(kind, data))


def wish(line: str, alone: bool = False) -> Wish:
    """A wish for such a line; of a text, with the family that it is of."""
    made = record(line)
    text = line.split(" ", 2)[2]
    family = next((one for one in Family if one.value and text.startswith(one.value)), Family.NONE)
    return Wish(
        made, "because", family=family if made.type == "TXT" else Family.NONE, alone=alone or made.type == "CNAME"
    )


def strangers(*lines: str) -> list[Held]:
    return [Held(record(line), Mark.FOREIGN) for line in lines]


def ours(*lines: str) -> list[Held]:
    return [Held(record(line), Mark.OURS) for line in lines]


class World:
    """A zone in memory and our ledger of it. marks: whether the provider can tell ours from a stranger's."""

    def __init__(self, held: Iterable[Held] = (), marks: bool = True) -> None:
        self.memory, self.ledger, self.marks = Memory([ZONE], held), Ledger(ZONE), marks

    @property
    def held(self) -> tuple[Held, ...]:
        found = self.memory.read(ZONE, below=True)
        return found if self.marks else tuple(Held(one.record, Mark.UNKNOWN) for one in found)

    @property
    def records(self) -> set[str]:
        return {told(one.record) for one in self.held}

    def plan(self, wishes: Iterable[Wish], limits: Limits = LIMITS) -> Plan:
        return difference(Zone(ZONE, self.held), wishes, self.ledger, limits)

    def apply(self, wishes: Iterable[Wish]) -> Plan:
        plan = self.plan(wishes)
        self.carry_out(plan, plan.changes)
        return plan

    def carry_out(self, plan: Plan, items: tuple[Item, ...]) -> None:
        self.ledger = before(self.ledger, plan, items)
        for change in changes(items):
            self.memory.write(change)
        self.ledger = after(self.ledger, (one.record for one in self.held))


def told(one: Record) -> str:
    return f"{one.name.removesuffix(ZONE).removesuffix('.') or '@'} {one.type} {str(one.data).strip(chr(34))}"


def steps(plan: Plan) -> list[str]:
    """`add @ MX 10 mx1.example.org.`: each line of a plan but what is in place."""
    return [f"{one.step.name.lower()} {told(one.record)}" for one in plan.items if one.step.name != "KEEP"]
