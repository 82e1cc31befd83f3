"""BIND, signing inline, as whoever holds the zone: what our provider writes is proven by DNSSEC, and gone when it is gone."""

from __future__ import annotations

from dnsops.base.secrets import Secret
from dnsops.providers.choose import parse
from dnsops.providers.door import Change, Grade
from dnsops.providers.several import check
from dnsops.records.rdata import Record
from dnsops.records.rdata import parse as rdata
from tests.lab.bind import SIGNED, Bind
from tests.lab.dns_conf import TSIG_FILE
from tests.lab.dnstree import DnsTree
from tests.lab.network import BIND
from tests.lab.program import wait_until

OWNER = f"_25._tcp.mx1.{SIGNED}"
ONE, TWO = (Record(OWNER, "TLSA", 60, rdata("TLSA", f"3 1 1 {digits * 32}")) for digits in ("ab", "cd"))
RECORDS = (
    ONE,
    Record(SIGNED, "CAA", 60, rdata("CAA", '0 issue "ca.example"')),
    Record(f"_imap._tcp.{SIGNED}", "SRV", 60, rdata("SRV", "0 0 0 .")),
    Record(f"sel._domainkey.{SIGNED}", "TXT", 60, rdata("TXT", '"v=DKIM1; p="')),
)


def test_what_is_written_is_proven(bind: Bind, dnstree: DnsTree) -> None:
    provider = parse(f"rfc2136:{BIND}", key=Secret(TSIG_FILE), environ={})
    assert [access.grade for access in check(provider, [SIGNED])] == [Grade.FINE]

    def held() -> set[Record]:
        return {one.record for one in provider.read(SIGNED, below=True) if one.record.type != "SOA"}

    before = held()
    provider.write(Change(add=RECORDS))
    provider.write(Change(add=(TWO,)))
    for record in RECORDS:
        wait_until(lambda record=record: dnstree.secure(record.name, record.type), str(record))  # type: ignore[misc]
    wait_until(lambda: dnstree.texts(OWNER, "TLSA") == {str(ONE.data), str(TWO.data)}, "both keys' records")
    assert held() == {*before, *RECORDS, TWO}
    provider.write(Change(remove=(*RECORDS, TWO)))
    wait_until(lambda: dnstree.texts(OWNER, "TLSA") == set(), "no record")
    wait_until(lambda: held() == before, "the zone as it was")
