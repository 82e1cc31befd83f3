"""Each subject by its table: what a setting makes of its records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dnsops.base.errors import ForUser
from dnsops.records.txt.caa import Caa, permits
from dnsops.records.txt.mtasts import Announcement, Mode, Sts
from dnsops.records.txt.uaac import Uaac
from dnsops.wanted.house import AcmeFacts, House, Service
from dnsops.wanted.policies import mtasts_policy, policy_id, policy_text
from dnsops.wanted.uaac_document import uaac_document
from dnsops.wanted.union import wanted
from tests.dnsops.wanted.houses import ACCOUNT, IMPLICIT, LETS_ENCRYPT, house

BOUND = f"accounturi={ACCOUNT}; validationmethods="


def texts(found: House, name: str, kind: str = "TXT") -> list[str]:
    return [
        str(w.record.data).strip('"') for w in wanted(found).wishes if (w.record.name, w.record.type) == (name, kind)
    ]


def notes(found: House) -> str:
    return " | ".join(map(str, wanted(found).findings))


# --- mail exchangers ---
def test_other_mail_hosts_stand_beside_ours_and_in_the_policy() -> None:
    found = house({"other_mx": ["20 MX2.example.net.", "30 backup.example.com"], "mx_preference": 5})
    assert texts(found, "example.org", "MX") == ["20 mx2.example.net.", "30 backup.example.com.", "5 mx1.example.org."]
    assert mtasts_policy(found).mx == ("mx1.example.org", "mx2.example.net", "backup.example.com")


@pytest.mark.parametrize(
    "text", ["mx2.example.net", "20", "x mx2.example.net", "70000 mx2.example.net", "20 192.0.2.1", "-1 a.b"]
)
def test_what_is_no_further_mail_host_is_said(text: str) -> None:
    with pytest.raises(ForUser, match=r"records\.other_mx|192\.0\.2\.1"):
        wanted(house({"other_mx": [text]}))


# --- SPF ---
@pytest.mark.parametrize(
    "settings, others, domain, host",
    [
        ({}, {}, "v=spf1 mx -all", "v=spf1 a -all"),
        ({}, {"sources": ("192.0.2.99",)}, "v=spf1 mx ip4:192.0.2.99 -all", "v=spf1 a ip4:192.0.2.99 -all"),
        ({}, {"sources": ("2001:db8::9",)}, "v=spf1 mx ip6:2001:db8::9 -all", "v=spf1 a ip6:2001:db8::9 -all"),
        (
            {"spf": "v=spf1 mx include:_spf.example.net -all"},
            {},
            "v=spf1 mx include:_spf.example.net -all",
            "v=spf1 a -all",
        ),
    ],
)
def test_who_may_send(settings: dict[str, Any], others: dict[str, Any], domain: str, host: str) -> None:
    found = house(settings, **others)
    assert texts(found, "example.org") == [domain]
    assert texts(found, "mx1.example.org") == [host]


def test_an_spf_record_that_is_none_is_said_where_it_stands() -> None:
    with pytest.raises(ForUser, match=r"records\.spf: not a term"):
        wanted(house({"spf": "v=spf1 mxx -all"}))


def test_a_relay_that_the_records_do_not_name_is_said() -> None:
    assert "relay.example.net" in notes(house(relay="relay.example.net"))
    assert "relay" not in notes(house({"spf": "v=spf1 include:relay.example.net -all"}, relay="relay.example.net"))


# --- DMARC, and the consent to reports ---
@pytest.mark.parametrize(
    "settings, to, content",
    [
        ({}, "", "v=DMARC1; p=reject; rua=mailto:postmaster@example.org"),
        ({}, "r@example.net", "v=DMARC1; p=reject; rua=mailto:r@example.net"),
        ({"dmarc": "v=DMARC1; p=quarantine; sp=reject"}, "", "v=DMARC1; p=quarantine; sp=reject"),
        ({"dmarc": "v=DMARC1;p=none;pct=50"}, "", "v=DMARC1;p=none;pct=50"),
    ],
)
def test_what_is_asked_of_others(settings: dict[str, Any], to: str, content: str) -> None:
    """RFC 9989 4.7; internet.nl: v= first and in this case, p= second."""
    assert texts(house(settings, dmarc_to=to), "_dmarc.example.org") == [content]


def test_a_dmarc_record_that_is_none_is_said_where_it_stands() -> None:
    with pytest.raises(ForUser, match=r"records\.dmarc: not a DMARC record"):
        wanted(house({"dmarc": "p=reject; v=DMARC1"}))
    assert "refuse" in notes(house({"dmarc": "v=DMARC1; p=none"}))


@pytest.mark.parametrize(
    "settings, to, zones, ours, theirs",
    [
        ({}, "", None, set(), set()),
        ({}, "r@sub.example.org", None, set(), set()),
        ({}, "r@example.net", None, set(), {"example.net"}),
        ({}, "r@example.net", ("example.org", "example.net"), {"example.net"}, set()),
        ({"dmarc": "v=DMARC1; p=reject; rua=mailto:a@b.example!10m,mailto:c@d.example; ruf=mailto:e@f.example,https://g.example/"},
         "", None, set(), {"b.example", "d.example", "f.example"}),
    ],
)  # fmt: skip
def test_who_must_agree_to_get_reports(
    settings: dict[str, Any], to: str, zones: tuple[str, ...] | None, ours: set[str], theirs: set[str]
) -> None:
    """RFC 9990 4: TXT `v=DMARC1` at DOMAIN._report._dmarc.PLACE."""
    found = wanted(house(settings, dmarc_to=to, zones=zones))
    label = "example.org._report._dmarc."
    wished = {w.record.name: str(w.record.data) for w in found.wishes if "._report." in w.record.name}
    expected = {one.name: one.text for one in found.expectations if "._report." in one.name}
    assert wished == {label + place: '"v=DMARC1;"' for place in ours}
    assert expected == {label + place: '"v=DMARC1;"' for place in theirs}


# --- MTA-STS ---
def test_the_policy_and_its_id() -> None:
    found = house()
    text = policy_text(found)
    assert text == "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmax_age: 604800\r\n"
    assert Sts.parse(text.encode()) == Sts(Mode.ENFORCE, ("mx1.example.org",), 604800)
    assert Announcement.parse(texts(found, "_mta-sts.example.org")[0]).id == policy_id(text)


@pytest.mark.parametrize(
    "settings", [{"mta_sts": {"mode": "testing"}}, {"mta_sts": {"max_age": "8d"}}, {"other_mx": ["9 a.b"]}]
)
def test_another_policy_has_another_id(settings: dict[str, Any]) -> None:
    assert policy_id(policy_text(house(settings))) != policy_id(policy_text(house()))


# --- names for mail programs ---
def test_without_a_web_server_nothing_points_to_it() -> None:
    found = house(web=False)
    names = {w.record.name.partition(".")[0] for w in wanted(found).wishes}
    assert not names & {
        "mta-sts",
        "_mta-sts",
        "autoconfig",
        "autodiscover",
        "_autodiscover",
        "ua-auto-config",
        "_ua-auto-config",
    }
    assert "mail" in names
    assert "no web listener" in notes(found)


@pytest.mark.parametrize(
    "services, there",
    [
        (IMPLICIT, {"imaps": "0 1 993", "submissions": "0 1 465"}),
        ((*IMPLICIT, Service("imap", 1143), Service("submission", 587)),
         {"imaps": "0 1 993", "submissions": "0 1 465", "imap": "10 1 1143", "submission": "10 1 587"}),
        ((), {}),
    ],
)  # fmt: skip
def test_services_are_told_and_others_denied(services: tuple[Service, ...], there: dict[str, str]) -> None:
    """RFC 6186 3.4: `.` says that a service is not there at all. RFC 8314: TLS from the first byte is preferred."""
    found = house(services=services)
    for label in ("imaps", "imap", "submissions", "submission", "pop3", "pop3s"):
        content = f"{there[label]} mx1.example.org." if label in there else "0 0 0 ."
        assert texts(found, f"_{label}._tcp.example.org", "SRV") == [content]


def test_web_services_of_others_are_told_when_asked_for() -> None:
    found = house({"web_services": ["jmap", "carddavs"]})
    assert texts(found, "_jmap._tcp.example.org", "SRV") == ["0 1 443 mx1.example.org."]
    assert texts(found, "_carddavs._tcp.example.org", "SRV") == ["0 1 443 mx1.example.org."]
    assert texts(found, "_caldavs._tcp.example.org", "SRV") == []


def test_programs_are_told_nothing_when_nobody_wants_it() -> None:
    quiet = house({"client_setup": False, "client_name": False})
    kinds = {w.record.type for w in wanted(quiet).wishes}
    assert "SRV" not in kinds
    assert [w.record.name for w in wanted(quiet).wishes if w.record.type == "CNAME"] == ["mta-sts.example.org"]


def test_the_settings_document_is_vouched_for() -> None:
    found = house(display_name="Example  mail")
    document = uaac_document(found, "example.org")
    assert document == uaac_document(found, "example.org")
    assert document.decode() == (
        '{"authentication":{"password":true},"info":{"provider":{"name":"Example mail","shortName":"Example mail"}},'
        '"protocols":{"imap":{"host":"mx1.example.org"},"smtp":{"host":"mx1.example.org"},"submit":{"host":"mx1.example.org"}}}'
    )
    assert Uaac.parse(texts(found, "_ua-auto-config.example.org")[0]).vouches(document)


def test_a_service_at_an_odd_port_is_not_in_the_document_which_cannot_say_it() -> None:
    assert b"imap" not in uaac_document(house(services=(Service("imaps", 1993),)), "example.org")


# --- certificates ---
@pytest.mark.parametrize(
    "settings, facts, domain, host",
    [
        ({}, LETS_ENCRYPT,
         [f"0 issue letsencrypt.org; {BOUND}dns-01"],
         [f"0 issue letsencrypt.org; {BOUND}dns-01", "0 issuewild ;"]),
        ({}, replace(LETS_ENCRYPT, account="", methods=()),
         ["0 issue letsencrypt.org"], ["0 issue letsencrypt.org", "0 issuewild ;"]),
        ({}, replace(LETS_ENCRYPT, names=("*.example.org",), methods=("http-01", "dns-01")),
         [f"0 issue letsencrypt.org; {BOUND}http-01,dns-01", f"0 issuewild letsencrypt.org; {BOUND}dns-01"],
         [f"0 issue letsencrypt.org; {BOUND}http-01,dns-01", "0 issuewild ;"]),
        ({"caa_issuers": ["Sectigo.com", "letsencrypt.org"]}, LETS_ENCRYPT,
         ["0 issue letsencrypt.org", f"0 issue letsencrypt.org; {BOUND}dns-01", "0 issue sectigo.com"],
         ["0 issue letsencrypt.org", f"0 issue letsencrypt.org; {BOUND}dns-01", "0 issue sectigo.com", "0 issuewild ;"]),
        ({"caa_issuers": ["sectigo.com"]}, AcmeFacts(), ["0 issue sectigo.com"], ["0 issue sectigo.com", "0 issuewild ;"]),
        ({"caa": False}, LETS_ENCRYPT, [], []),
        ({}, AcmeFacts(), [], []),
    ],
)  # fmt: skip
def test_who_may_issue(settings: dict[str, Any], facts: AcmeFacts, domain: list[str], host: list[str]) -> None:
    """RFC 8659 4.2 to 4.4, RFC 8657 3 and 4."""
    found = house(settings, acme=facts)
    for name, wished in (("example.org", domain), ("mx1.example.org", host)):
        records = [Caa.parse(text + ('"' if text.count('"') % 2 else "")) for text in texts(found, name, "CAA")]
        assert sorted(f"{one.flags} {one.tag} {one.value}" for one in records if one.tag != "iodef") == wished


def test_our_own_records_let_us_issue_and_nobody_else() -> None:
    wishes = wanted(house()).wishes
    for name in ("example.org", "mx1.example.org"):
        records = [Caa.parse(str(w.record.data)) for w in wishes if (w.record.name, w.record.type) == (name, "CAA")]
        assert permits(records, "letsencrypt.org", ACCOUNT, "dns-01")
        assert not permits(records, "letsencrypt.org", ACCOUNT + "0", "dns-01")
        assert not permits(records, "letsencrypt.org", ACCOUNT, "http-01")
        assert not permits(records, "sectigo.com", ACCOUNT, "dns-01")


def test_what_caa_does_to_the_certificates_of_others_is_said() -> None:
    assert "records.caa_issuers" in notes(house())
    assert "caa_issuers" not in notes(house({"caa_issuers": ["letsencrypt.org"]}))
    assert "not bound" in notes(house(acme=replace(LETS_ENCRYPT, account="")))
    assert "not known" in notes(house(acme=AcmeFacts()))


def test_persistent_validation_when_asked_for() -> None:
    found = house(acme=replace(LETS_ENCRYPT, persist=True))
    assert texts(found, "_validation-persist.example.org") == [
        f"letsencrypt.org; accounturi={ACCOUNT}; policy=wildcard"
    ]
    assert texts(found, "_validation-persist.mx1.example.org") == [f"letsencrypt.org; accounturi={ACCOUNT}"]
    assert texts(house(), "_validation-persist.example.org") == []
    assert "acme.persist" in notes(house(acme=AcmeFacts(("letsencrypt.org",), persist=True)))


# --- the rest ---
def test_a_picture_beside_mail() -> None:
    found = house({"bimi": {"location": "https://example.org/l.svg", "authority": "https://example.org/l.pem"}})
    assert texts(found, "default._bimi.example.org") == [
        "v=BIMI1; l=https://example.org/l.svg; a=https://example.org/l.pem"
    ]
    with pytest.raises(ForUser, match=r"records\.bimi"):
        wanted(house({"bimi": {"location": "https://example.org/a;b.svg"}}))


def test_parked_names_say_so_in_the_words_that_are_looked_for() -> None:
    """RFC 7505 3; internet.nl leaves DKIM out of the score for exactly these texts."""
    found = house({"parked": ["www.example.org", "www.example.org"]})
    assert texts(found, "www.example.org", "MX") == ["0 ."]
    assert texts(found, "www.example.org") == ["v=spf1 -all"]
    assert texts(found, "_dmarc.www.example.org") == ["v=DMARC1; p=reject;"]


def test_a_wildcard_is_no_name_to_park() -> None:
    with pytest.raises(ForUser, match=r"records\.parked"):
        wanted(house({"parked": ["*.example.org"]}))


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "fd00::1", "fe80::1", "::1"])
def test_an_address_that_leads_nowhere_is_said(address: str) -> None:
    assert f"{address} leads nowhere" in notes(house(addresses=("192.0.2.25", address)))
    assert "leads nowhere" not in notes(house())


def test_a_name_in_use_is_not_parked() -> None:
    found = house({"parked": ["example.org", "mx1.example.org"]})
    assert texts(found, "example.org", "MX") == ["10 mx1.example.org."]
    assert notes(found).count("records.parked") == 2


def test_domains_without_keys_and_hosts_without_are_said() -> None:
    assert "example.org has no DKIM keys yet" in notes(house(signings=()))
    assert "no TLSA records" in notes(house(tlsa=()))
