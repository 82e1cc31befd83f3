"""What each zone of the tree looks like through the validating resolver, and to delv, which validates by itself."""

import subprocess

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update
import pytest
from dns.flags import AD

from tests.lab.dnstree import SECONDARY, TSIG_ALGORITHM
from tests.lab.network import PRIMARY, RESOLVER
from tests.lab.zones import NOBODY

TLSA = "_25._tcp.mx1.example.org"
ONE, TWO = "3 1 1 " + "11" * 32, "3 1 1 " + "22" * 32


@pytest.mark.parametrize(
    "zone,rcode,secure,ede",
    [
        ("example.org", "NOERROR", True, None),
        ("nsec.org", "NOERROR", True, None),
        ("nods.org", "NOERROR", False, None),
        ("unsigned.org", "NOERROR", False, None),
        ("bogus.org", "SERVFAIL", False, 6),  # RFC 8914 4.7: DNSSEC Bogus
        ("expired.org", "SERVFAIL", False, 7),  # 4.8: Signature Expired
        ("missig.org", "SERVFAIL", False, 10),  # 4.11: RRSIGs Missing
    ],
)
def test_the_state_of_each_zone(dnstree, zone, rcode, secure, ede):
    answer = dnstree.ask(f"_25._tcp.mx1.{zone}", "TLSA")
    codes = [int(option.code) for option in answer.options if option.otype == 15]
    assert (dns.rcode.to_text(answer.rcode()), bool(answer.flags & AD), (codes or [None])[0]) == (rcode, secure, ede)


@pytest.mark.parametrize("zone", ["bogus.org", "missig.org"])
def test_in_these_only_the_tlsa_record_is_broken(dnstree, zone):
    assert dnstree.secure(f"mx1.{zone}", "A")
    assert dnstree.secure(zone, "MX")


@pytest.mark.parametrize(
    "name,proof", [("nope.example.org", "NSEC3"), ("nope.nsec.org", "NSEC"), ("_25._tcp.nope.example.org", "NSEC3")]
)
def test_what_does_not_exist_is_proven(dnstree, name, proof):
    answer = dnstree.ask(name, "TLSA")
    assert (answer.rcode(), bool(answer.flags & AD)) == (dns.rcode.NXDOMAIN, True)
    assert proof in {rrset.rdtype.name for rrset in answer.authority}


@pytest.mark.parametrize("server", [PRIMARY, SECONDARY, "2001:db8::1", RESOLVER, "127.0.0.1"])
def test_every_server_answers(dnstree, server):
    assert dnstree.texts(TLSA, "TLSA", server) == {NOBODY}


@pytest.mark.parametrize(
    "name", ["_25._tcp.alias.example.org", "_25._tcp.host.wild.example.org", "_465._tcp.x.wild.example.org"]
)
def test_aliases_and_wildcards_are_secure(dnstree, name):
    assert dnstree.secure(name, "TLSA")
    assert dnstree.texts(name, "TLSA") == {NOBODY}


@pytest.mark.parametrize(
    "zone,says",
    [
        ("example.org", "; fully validated"),
        ("nsec.org", "; fully validated"),
        ("unsigned.org", "; unsigned answer"),
        ("bogus.org", "resolution failed"),
    ],
)
def test_delv_agrees(dnstree, tmp_path, zone, says):
    tag, algorithm, digest_type, digest = dnstree.trust_anchor.read_text().split("DS")[1].split(None, 3)
    anchors = tmp_path / "anchors"
    anchors.write_text(f'trust-anchors {{ . static-ds {tag} {algorithm} {digest_type} "{digest.strip()}"; }};\n')
    command = ["delv", "-a", str(anchors), "+root=.", f"@{PRIMARY}", f"_25._tcp.mx1.{zone}", "TLSA"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert says in done.stdout + done.stderr


def test_an_update_is_seen_everywhere(clean_zone):
    clean_zone.replace(TLSA, "TLSA", ONE, TWO)
    for server in (PRIMARY, SECONDARY, RESOLVER):
        assert clean_zone.texts(TLSA, "TLSA", server) == {ONE, TWO}
    assert clean_zone.secure(TLSA, "TLSA")
    clean_zone.restore()
    assert clean_zone.texts(TLSA, "TLSA") == {NOBODY}


def test_nobody_updates_without_the_key(dnstree):
    message = dns.update.UpdateMessage("example.org")
    message.replace("_25._tcp.mx1", 60, "TLSA", ONE)
    assert dns.query.tcp(message, PRIMARY, timeout=5).rcode() in (dns.rcode.NOTAUTH, dns.rcode.REFUSED)
    message.use_tsig(dns.tsigkeyring.from_text({"lab-key.": "d3Jvbmc="}), algorithm=TSIG_ALGORITHM)
    with pytest.raises(dns.exception.DNSException, match=r"BADSIG|verify|signature"):
        dns.query.tcp(message, PRIMARY, timeout=5)
    assert dnstree.texts(TLSA, "TLSA", PRIMARY) == {NOBODY}


def test_the_secondary_can_lag(clean_zone):
    clean_zone.lag()
    clean_zone.replace(TLSA, "TLSA", ONE, servers=[PRIMARY])
    assert clean_zone.texts(TLSA, "TLSA", SECONDARY) == {NOBODY}
    clean_zone.follow()
    clean_zone.wait_for(TLSA, "TLSA", [ONE])


def test_the_secondary_can_fall_silent(clean_zone):
    clean_zone.secondary.freeze()
    query = dns.message.make_query(TLSA, "TLSA")
    with pytest.raises(dns.exception.Timeout):
        dns.query.udp(query, SECONDARY, timeout=0.3)
    clean_zone.secondary.thaw()
    assert clean_zone.texts(TLSA, "TLSA", SECONDARY) == {NOBODY}


def test_a_resolver_with_a_cache_shows_the_past(clean_zone):
    clean_zone.restart_resolver(cache=60)
    try:
        clean_zone.replace(TLSA, "TLSA", ONE)
        clean_zone.replace(TLSA, "TLSA", TWO, servers=[PRIMARY, SECONDARY])
        assert clean_zone.texts(TLSA, "TLSA") == {ONE}
    finally:
        clean_zone.restart_resolver(cache=0)
    assert clean_zone.texts(TLSA, "TLSA") == {TWO}
