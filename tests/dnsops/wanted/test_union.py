"""The whole of it: the example's records one by one, and what holds for every house that there may be."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import dns.rdatatype
import dns.zone
import pytest

from dnsops.dkim.ring import Role
from dnsops.records import names, rdata
from dnsops.records.txt.uaac import Uaac
from dnsops.wanted.door import Family, Keeper, Wanted
from dnsops.wanted.house import Signing
from dnsops.wanted.policies import policy_id, policy_text
from dnsops.wanted.rendering import zone_text
from dnsops.wanted.uaac_document import uaac_document
from dnsops.wanted.union import wanted
from tests.dnsops.wanted.houses import ACCOUNT, ED25519, RSA, house, random_house

SEEDS = range(150)
CAA = f'"letsencrypt.org; accounturi={ACCOUNT}; validationmethods=dns-01"'


def lines(found: Wanted) -> set[str]:
    """NAME TYPE CONTENT of each wish."""
    return {
        f"{w.record.name} {w.record.type} {str(w.record.data).replace(chr(34) + ' ' + chr(34), '')}"
        for w in found.wishes
    }


def test_the_example_has_every_row_of_the_table() -> None:
    """The rows of the union as the reference has them, in their order; H is the host, D the domain."""
    example = house({"parked": ["www.example.org"], "bimi": {"location": "https://example.org/l.svg"}})
    digest = Uaac.of(uaac_document(example, "example.org"))
    one, two = "01" * 32, "02" * 32
    assert lines(wanted(example)) == {
        "example.org MX 10 mx1.example.org.",
        "mx1.example.org A 192.0.2.25",
        "mx1.example.org AAAA 2001:db8::25",
        'mx1.example.org TXT "v=spf1 a -all"',
        'example.org TXT "v=spf1 mx -all"',
        f'{RSA.name}._domainkey.example.org TXT "{RSA.text}"',
        f'{ED25519.name}._domainkey.example.org TXT "{ED25519.text}"',
        '_dmarc.example.org TXT "v=DMARC1; p=reject; rua=mailto:postmaster@example.org"',
        '_smtp._tls.example.org TXT "v=TLSRPTv1; rua=mailto:postmaster@example.org"',
        '_smtp._tls.mx1.example.org TXT "v=TLSRPTv1; rua=mailto:postmaster@example.org"',
        f'_mta-sts.example.org TXT "v=STSv1; id={policy_id(policy_text(example))}"',
        "mta-sts.example.org CNAME mx1.example.org.",
        *(f"_{port}._tcp.mx1.example.org TLSA 3 1 1 {key}" for port in (25, 465, 993) for key in (one, two)),
        f"example.org CAA 0 issue {CAA}",
        'example.org CAA 0 iodef "mailto:user1@example.org"',
        f"mx1.example.org CAA 0 issue {CAA}",
        'mx1.example.org CAA 0 issuewild ";"',
        'mx1.example.org CAA 0 iodef "mailto:user1@example.org"',
        "_submissions._tcp.example.org SRV 0 1 465 mx1.example.org.",
        "_imaps._tcp.example.org SRV 0 1 993 mx1.example.org.",
        *(f"_{label}._tcp.example.org SRV 0 0 0 ." for label in ("imap", "submission", "pop3", "pop3s")),
        "autoconfig.example.org CNAME mx1.example.org.",
        "autodiscover.example.org CNAME mx1.example.org.",
        "_autodiscover._tcp.example.org SRV 0 1 443 mx1.example.org.",
        "mail.example.org CNAME mx1.example.org.",
        "ua-auto-config.example.org CNAME mx1.example.org.",
        f'_ua-auto-config.example.org TXT "{digest}"',
        'default._bimi.example.org TXT "v=BIMI1; l=https://example.org/l.svg"',
        "www.example.org MX 0 .",
        'www.example.org TXT "v=spf1 -all"',
        '_dmarc.www.example.org TXT "v=DMARC1; p=reject;"',
    }


def test_what_others_must_write_is_expected_and_explained() -> None:
    found = {(one.type, one.name): one for one in wanted(house()).expectations}
    assert set(found) == {
        ("PTR", "25.2.0.192.in-addr.arpa"),
        ("PTR", "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
        ("DS", "example.org"),
    }
    assert all(one.why and one.advice and one.standard for one in found.values())
    assert found["PTR", "25.2.0.192.in-addr.arpa"].text == "mx1.example.org."


def test_the_stories_keep_their_records() -> None:
    keepers = {wish.record.type + " " + wish.family.name: wish.keeper for wish in wanted(house()).wishes}
    assert keepers["TLSA NONE"] is Keeper.TLSA
    assert keepers["TXT DKIM"] is Keeper.DKIM
    assert {keeper for kind, keeper in keepers.items() if kind not in ("TLSA NONE", "TXT DKIM")} == {Keeper.ZONE}


def test_many_domains_on_one_host_have_the_hosts_records_once() -> None:
    domains = tuple(f"d{n}.example" for n in range(50))
    found = wanted(house(domains=domains, zones=(*domains, "example.org"))).wishes
    at_host = [wish for wish in found if names.under(wish.record.name, "mx1.example.org")]
    assert len([wish for wish in at_host if wish.record.type == "A"]) == 1
    assert len([wish for wish in found if wish.record.type == "MX"]) == 50
    assert (
        len(found) == len(at_host) + 50 * len([w for w in found if names.under(w.record.name, "d0.example")]) + 2
    )  # DKIM


def test_a_host_in_a_zone_of_others_is_for_others() -> None:
    """Unless the provider holds that zone too."""
    elsewhere = house(hostname="mx.elsewhere.example", signings=(), tlsa=())
    found = wanted(elsewhere)
    assert not [wish for wish in found.wishes if names.under(wish.record.name, "elsewhere.example")]
    assert {one.type for one in found.expectations if one.name == "mx.elsewhere.example"} == {"A", "AAAA", "TXT", "CAA"}
    held = wanted(
        house(hostname="mx.elsewhere.example", signings=(), tlsa=(), zones=("example.org", "elsewhere.example"))
    )
    assert len(held.wishes) == len(found.wishes) + 7  # A, AAAA, SPF, TLSRPT, three of CAA
    assert {one.type for one in held.expectations} == {"PTR", "DS"}


def test_a_host_that_is_the_domain() -> None:
    found = lines(wanted(house(hostname="example.org", signings=(), tlsa=())))
    assert "example.org MX 10 example.org." in found
    assert "example.org A 192.0.2.25" in found
    assert 'example.org TXT "v=spf1 mx -all"' in found
    assert 'example.org TXT "v=spf1 a -all"' not in found
    assert 'example.org CAA 0 issuewild ";"' not in found  # the web servers below may have wildcards


@pytest.mark.parametrize(
    "name, there",
    [
        ("mail.example.org", "the host itself"),
        ("autoconfig.example.org", "the host itself, though its name says otherwise"),
    ],
)
def test_an_alias_never_stands_at_the_host(name: str, there: str) -> None:
    found = [w.record for w in wanted(house(hostname=name, signings=(), tlsa=())).wishes if w.record.name == name]
    assert "CNAME" not in {record.type for record in found}, there
    assert {"A", "AAAA"} <= {record.type for record in found}


def test_where_a_domain_of_ours_has_an_aliass_name_the_hosts_addresses_stand() -> None:
    found = lines(wanted(house(domains=("example.org", "mail.example.org"))))
    assert "mail.example.org A 192.0.2.25" in found
    assert "mail.example.org AAAA 2001:db8::25" in found
    assert "mail.example.org MX 10 mx1.example.org." in found
    assert not [line for line in found if line.startswith("mail.example.org CNAME")]


@pytest.mark.parametrize("addresses, types", [(("192.0.2.25",), {"A"}), (("2001:db8::25",), {"AAAA"}), ((), set())])
def test_hosts_with_one_family_of_addresses(addresses: tuple[str, ...], types: set[str]) -> None:
    found = wanted(house(addresses=addresses))
    assert {w.record.type for w in found.wishes if w.record.type in ("A", "AAAA")} == types
    assert any("IPv" in f.what or "address" in f.what for f in found.findings)
    assert len([one for one in found.expectations if one.type == "PTR"]) == len(addresses)


def test_detected_addresses_are_shown_before_they_are_used() -> None:
    found = wanted(house(detected=True)).findings
    assert any("192.0.2.25, 2001:db8::25" in finding.what for finding in found)


def test_names_beyond_ascii_are_written_as_the_dns_has_them() -> None:
    found = wanted(
        house({"parked": ["wörter.example.org"]}, domains=("xn--bcher-kva.example",), dmarc_to="jörg@bücher.example")
    )
    dmarc = next(w.record for w in found.wishes if w.record.name == "_dmarc.xn--bcher-kva.example")
    assert str(dmarc.data) == '"v=DMARC1; p=reject; rua=mailto:j%C3%B6rg@xn--bcher-kva.example"'
    assert any(w.record.name == "mta-sts.xn--bcher-kva.example" for w in found.wishes)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_holds_for_every_house(seed: int) -> None:
    """Deterministic, none twice, canonical, an alias alone, one text of a family, fit for the wire, and explained."""
    found = wanted(random_house(seed))
    assert found == wanted(random_house(seed))
    keys = [(w.record.name, w.record.type, str(w.record.data)) for w in found.wishes]
    assert len(keys) == len(set(keys))
    for wish in found.wishes:
        record = wish.record
        assert record.name == names.canonical(record.name)
        assert rdata.from_wire(record.type, rdata.wire(record.data)) == record.data
        assert dns.rdatatype.from_text(record.type)
        assert wish.why
        assert "\n" not in wish.why
        assert record.type == "TXT" or wish.family is Family.NONE
    types: dict[str, set[str]] = {}
    for name, kind, _ in keys:
        types.setdefault(name, set()).add(kind)
    assert not [name for name, kinds in types.items() if "CNAME" in kinds and len(kinds) > 1]
    for wish in found.wishes:
        same = [other for other in found.wishes if other.record.name == wish.record.name]
        assert not wish.alone or len([o for o in same if o.record.type == wish.record.type]) == 1
        family = [other for other in same if other.family is wish.family]
        assert wish.family is Family.NONE or len(family) == 1


@pytest.mark.parametrize("seed", range(20))
def test_the_zone_text_is_read_by_zone_file_readers(seed: int, tmp_path: Path) -> None:
    """dnspython's, and those of knot and BIND, which check more than the form: aliases beside data, MX to an alias ..."""
    chosen = random_house(seed)
    found = wanted(chosen)
    apex = "example.org"
    inside = Wanted(
        tuple(w for w in found.wishes if names.under(w.record.name, apex)), found.expectations, found.findings
    )
    text = f"{apex}. 300 IN SOA ns.{apex}. a.{apex}. 1 1 1 1 1\n{apex}. 300 IN NS ns.{apex}.\nns.{apex}. 300 IN A 192.0.2.53\n"
    text += zone_text(inside)
    zone = dns.zone.from_text(text, apex, relativize=False)
    assert len([1 for _ in zone.iterate_rdatas()]) == len(inside.wishes) + 3
    file = tmp_path / "zone"
    file.write_text(text, encoding="ascii")
    for checker in (["kzonecheck", "-o", apex, str(file)], ["named-checkzone", apex, str(file)]):
        assert shutil.which(checker[0]), checker[0]
        said = subprocess.run(checker, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr + text


@pytest.mark.parametrize("role, there", [(Role.NEXT, 1), (Role.CURRENT, 1), (Role.RETIRED, 1), (Role.GONE, 0)])
def test_a_selector_stands_until_it_is_gone(role: Role, there: int) -> None:
    found = wanted(house(signings=(Signing("example.org", RSA, role),)))
    assert len([w for w in found.wishes if w.family is Family.DKIM]) == there
