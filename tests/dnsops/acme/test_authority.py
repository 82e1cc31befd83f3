"""An authority that says when to renew, has profiles, refuses, fails and lies: S-ACME-01 and S-ACME-03."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from acme.client import ClientNetwork, ClientV2
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dnsops.acme.accounts import Terms
from dnsops.acme.authority import Acme
from dnsops.acme.door import Challenge
from dnsops.base.errors import ForUser, Later
from dnsops.certs.chain import from_pem
from tests.dnsops.acme import issuing
from tests.lab.ari import PREFIX, Ari, Fault
from tests.lab.dns_conf import TSIG_ALGORITHM, TSIG_NAME, TSIG_SECRET
from tests.lab.dnstree import DnsTree
from tests.lab.network import PRIMARY, RESOLVER
from tests.lab.pki import Pki, new_key

NAME = "mx1.example.org"


class Quick:
    """dns-01 straight into the tree: for tests that are about the authority."""

    kind = "dns-01"

    def __init__(self, tree: DnsTree) -> None:
        self.tree, self.shown, self.swept = tree, 0, 0

    def show(self, challenges: list[Challenge]) -> None:
        self.shown += 1
        for name in {one.name for one in challenges}:
            texts = [f'"{one.text}"' for one in challenges if one.name == name]
            self.tree.replace(f"_acme-challenge.{name}", "TXT", *texts)

    def remove(self, challenges: list[Challenge]) -> None:
        for name in {one.name for one in challenges}:
            self.tree.replace(f"_acme-challenge.{name}", "TXT")

    def sweep(self) -> None:
        self.swept += 1


@pytest.fixture
def authority(front: Ari, tmp_path: Path) -> Acme:
    return issuing.authority(front.url, tmp_path)


@pytest.fixture
def quick(clean_zone: DnsTree) -> Quick:
    return Quick(clean_zone)


def der(pem: bytes) -> bytes:
    return from_pem(pem, "").certificates[0]


def test_renewal_information_and_what_replaces_what(front: Ari, authority: Acme, quick: Quick) -> None:
    start, end = datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC)
    front.window, front.retry_after = (start, end), "3600"
    first = authority.issue(issuing.wish(NAME), quick)
    window = authority.window(der(first))
    assert window
    assert (window.start, window.end, window.retry_after) == (start, end, 3600)
    assert window.explanation.endswith("/why")
    second = authority.issue(issuing.wish(NAME, replaces=der(first)), quick)
    assert front.orders[-1]["replaces"] in front.replaced
    third = authority.issue(issuing.wish(NAME, replaces=der(first)), quick)
    assert "replaces" in front.orders[-2], "it is replaced already: asked with it first"
    assert "replaces" not in front.orders[-1], "and then without"
    assert len({first, second, third}) == 3


def test_certbots_library_reads_the_same_window(front: Ari, authority: Acme, quick: Quick, pki: Pki) -> None:
    """The stand-in is honest: another client understands it."""
    front.window = (datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC))
    pem = authority.issue(issuing.wish(NAME), quick)
    trusted: Any = str(pki.ca)
    network = ClientNetwork(verify_ssl=trusted)
    theirs, _ = ClientV2(ClientV2.get_directory(front.url, network), network).renewal_time(pem)
    assert theirs
    assert front.window[0] <= theirs <= front.window[1]


NOW = datetime.now(UTC)
ODD: dict[str, tuple[Any, bool]] = {
    "in the past": ((NOW - timedelta(days=9), NOW - timedelta(days=8)), True),
    "backwards": ((NOW + timedelta(days=9), NOW + timedelta(days=8)), False),
    "of no length": ((NOW, NOW), False),
    "after its end": ((NOW + timedelta(days=400), NOW + timedelta(days=401)), False),
    "ends after its end": ((NOW + timedelta(days=80), NOW + timedelta(days=4000)), True),
    "no times": ({"suggestedWindow": {"start": "soon", "end": 7}}, False),
    "no window": ({}, False),
}


@pytest.mark.parametrize("odd", ODD)
def test_s_acme_03_windows_in_the_past_absent_or_absurd(
    odd: str, front: Ari, authority: Acme, quick: Quick, certificate: bytes
) -> None:
    from acme.client import _renewal_info_path_component

    front.known.add(_renewal_info_path_component(x509.load_der_x509_certificate(certificate)))
    front.window, believed = ODD[odd]
    window = authority.window(certificate)
    assert (window is not None) is believed
    assert window is None or window.end <= x509.load_der_x509_certificate(certificate).not_valid_after_utc


@pytest.fixture(scope="module")
def certificate(ari_session: Ari, dnstree: DnsTree, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    authority = issuing.authority(ari_session.url, tmp_path_factory.mktemp("once"))
    return der(authority.issue(issuing.wish(NAME), Quick(dnstree)))


def test_a_certificate_that_nobody_knows_has_no_window(front: Ari, authority: Acme, certificate: bytes) -> None:
    assert authority.window(certificate) is None


def test_profiles(front: Ari, authority: Acme, quick: Quick) -> None:
    authority.issue(issuing.wish(NAME, profile="shortlived"), quick)
    assert front.orders[-1]["profile"] == "shortlived"
    with pytest.raises(ForUser, match=r"no profile 'eternal' - write one of: classic \(as ever\); shortlived"):
        authority.issue(issuing.wish(NAME, profile="eternal"), quick)


def test_the_accounts_contact_follows_the_configuration(front: Ari, authority: Acme, tmp_path: Path) -> None:
    """Told once, and again when it changes; the account stays."""
    uri = authority.account_uri
    for contact, posts in (("user2@example.org", 2), ("user2@example.org", 1), ("", 2), ("", 1)):
        again = issuing.authority(front.url, tmp_path, Terms(contact))
        front.requests.clear()
        assert again._talk.account == uri
        assert [method for method, _ in front.requests].count("POST") == posts, "it is checked, and changed"


def test_an_account_that_was_deactivated(front: Ari, authority: Acme, quick: Quick, tmp_path: Path) -> None:
    authority._talk.post(authority.account_uri, {"status": "deactivated"})
    with pytest.raises(ForUser, match=r"move .*account\.json away to have a new one registered"):
        issuing.authority(front.url, tmp_path).issue(issuing.wish(NAME), quick)


def test_a_first_registration_whose_answer_is_lost_makes_one_account(front: Ari, tmp_path: Path) -> None:
    front.fault("lost", path="/sign-me-up")
    uri = issuing.authority(front.url, tmp_path).account_uri
    assert issuing.authority(front.url, tmp_path).account_uri == uri
    assert [path for _, path in front.requests].count("/sign-me-up") == 2


def test_lego_issues_through_the_stand_in(front: Ari, pki: Pki, clean_zone: DnsTree, tmp_path: Path) -> None:
    """What stands in front of pebble is an ACME server to others, too."""
    if not shutil.which("lego"):
        pytest.skip("lego is not installed")
    update = {"NAMESERVER": PRIMARY, "TSIG_ALGORITHM": f"{TSIG_ALGORITHM}.", "TSIG_KEY": TSIG_NAME}
    update |= {"TSIG_SECRET": TSIG_SECRET, "POLLING_INTERVAL": "1", "SEQUENCE_INTERVAL": "1", "TTL": "60"}
    environ = os.environ | pki.trusted | {f"RFC2136_{name}": value for name, value in update.items()}
    words = ["lego", "--accept-tos", "-m", issuing.CONTACT, "-s", front.url, "--path", str(tmp_path), "-d", NAME]
    words += ["--dns", "rfc2136", "--dns.resolvers", f"{RESOLVER}:53", "run"]
    done = subprocess.run(words, capture_output=True, text=True, env=environ, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert len(front.known) == 1


# S-ACME-01

REFUSALS = [
    ("rateLimited", {"Retry-After": "7200"}, 7200),
    ("rateLimited", {}, 3600),
    ("serverInternal", {"Retry-After": "600"}, 600),
]


@pytest.mark.parametrize("kind, headers, after", REFUSALS)
def test_s_acme_01_come_back_later(
    kind: str, headers: dict[str, str], after: int, front: Ari, authority: Acme, quick: Quick
) -> None:
    assert authority.account_uri
    front.fault("429", path="/order-plz", headers=headers, problem={"type": PREFIX + kind, "detail": "too many"})
    with pytest.raises(Later, match="too many") as later:
        authority.issue(issuing.wish(NAME), quick)
    assert later.value.after == timedelta(seconds=after)


def test_s_acme_01_an_authority_that_is_down(front: Ari, authority: Acme, quick: Quick) -> None:
    assert authority.account_uri
    front.fault("503", times=1000, headers={"Retry-After": "86400"})
    with pytest.raises(Later) as later:
        authority.issue(issuing.wish(NAME), quick)
    assert later.value.after == timedelta(days=1)
    front.reset()
    front.fault("500", times=1000)
    with pytest.raises(Later):
        authority.issue(issuing.wish(NAME), quick)
    assert len(front.requests) <= 7, "patience is bounded"
    front.reset()
    assert authority.issue(issuing.wish(NAME), quick), "its state is as it was"


SENTENCES = [
    ("caa", "CAA record for mx1.example.org prevents issuance", "change the CAA records"),
    ("rejectedIdentifier", "mx1.example.org is on a list", "does not issue for this name"),
    ("unauthorized", "the account is barred", "look at what stands at the name"),
    ("userActionRequired", "new terms", "visit the address: https://ca.example/terms"),
    ("somethingNew", "nobody knows it", "see what the authority says"),
]


@pytest.mark.parametrize("kind, detail, advice", SENTENCES)
def test_s_acme_01_refusals_say_what_to_do(
    kind: str, detail: str, advice: str, front: Ari, authority: Acme, quick: Quick
) -> None:
    assert authority.account_uri
    body = {"type": PREFIX + kind, "detail": detail, "instance": "https://ca.example/terms"}
    front.fault("403", path="/order-plz", problem=body)
    with pytest.raises(ForUser) as refusal:
        authority.issue(issuing.wish(NAME), quick)
    assert detail in str(refusal.value)
    assert advice in str(refusal.value)
    assert quick.shown == 0


def test_s_acme_01_an_order_that_becomes_invalid(front: Ari, authority: Acme, quick: Quick) -> None:
    def invalid(path: str, body: dict[str, Any]) -> dict[str, Any]:
        error = {"type": PREFIX + "caa", "detail": "rechecked CAA forbids it"}
        return body | {"status": "invalid", "error": error} if path.startswith("/my-order/") else body

    front.meddle = invalid
    with pytest.raises(ForUser, match=r"rechecked CAA forbids it \(caa\) - change the CAA records"):
        authority.issue(issuing.wish(NAME), quick)


def test_s_acme_01_no_more_than_four_failures_an_hour(
    front: Ari, authority: Acme, quick: Quick, tmp_path: Path
) -> None:
    class Blank(Quick):
        def show(self, challenges: list[Challenge]) -> None:
            self.shown += 1

        def remove(self, challenges: list[Challenge]) -> None:
            """Nothing was shown."""

    blank = Blank(quick.tree)
    for _ in range(4):
        with pytest.raises(ForUser, match=r"mx1\.example\.org: .*\((unauthorized|dns)\)"):
            authority.issue(issuing.wish(NAME), blank)
    again = issuing.authority(front.url, tmp_path)
    orders = len(front.orders)
    with pytest.raises(Later, match="could not be validated 4 times") as later:
        again.issue(issuing.wish(NAME), blank)
    assert timedelta(minutes=55) < later.value.after < timedelta(minutes=66)
    assert len(front.orders) == orders, "the authority is not even asked"
    assert again.issue(issuing.wish("mta-sts.example.org"), quick), "another name is another matter"


def issued_with_a_fault(front: Ari, authority: Acme, quick: Quick, kind: str, call: int) -> Fault:
    """Again where pebble took an authorisation for valid that it knew: such an issuance is shorter (tests/lab/acme.py)."""
    while True:
        front.reset()
        fault = front.fault(kind, skip=call)
        pem = authority.issue(issuing.wish(NAME, key=KEY), quick)
        assert issuing.names_of(pem) == {NAME}
        if any(path.startswith("/authZ/") for _, path in front.requests):
            return fault


def test_faults_at_every_call_of_an_issuance(front: Ari, authority: Acme, quick: Quick) -> None:
    """Lost, cut, closed or refused at call k: the issuance still ends with a certificate."""
    assert authority.account_uri
    for kinds in (("lost", "lost"), ("502", "502"), ("cut", "closed")):
        for call in range(40):
            fault = issued_with_a_fault(front, authority, quick, kinds[call % 2], call)
            if fault.times:
                break
        assert call >= 8, "it failed at each of them"
    assert issuing.challenges_out(quick.tree) == set()


def test_an_order_that_was_left_is_gone_on_with(front: Ari, authority: Acme, quick: Quick, tmp_path: Path) -> None:
    """The authority dies for us at call k: whoever comes again with the same key goes on, and one order is all there is."""
    assert authority.account_uri
    ordered = 0
    for call in range(40):
        front.reset()
        fault, key = front.fault("503", skip=call, headers={"Retry-After": "600"}), new_key()
        try:
            authority.issue(issuing.wish(NAME, key=key), quick)
            break
        except Later:
            ordered = len(front.orders)
        assert issuing.authority(front.url, tmp_path).issue(issuing.wish(NAME, key=key), quick)
        assert len(front.orders) == max(ordered, 1)
    assert fault.times
    assert call >= 5
    front.reset()
    other = issuing.wish(NAME)
    assert authority.issue(other, quick) != authority.issue(other, quick), "one that is done is not gone on with"


def test_an_authorisation_for_another_name_is_not_answered(front: Ari, authority: Acme, quick: Quick) -> None:
    front.meddle = lambda path, body: (
        body | {"identifier": {"type": "dns", "value": "mx2.example.org"}} if path.startswith("/authZ/") else body
    )
    with pytest.raises(ForUser, match="a name that was not ordered"):
        authority.issue(issuing.wish(NAME), quick)
    assert quick.shown == 0


def test_floods_and_redirects(front: Ari, authority: Acme, quick: Quick) -> None:
    front.fault("huge")
    with pytest.raises(ForUser, match="larger than 262144 octets"):
        authority.issue(issuing.wish(NAME), quick)
    front.fault("302", headers={"Location": "https://elsewhere.example/dir"})
    with pytest.raises(ForUser, match=r"sends us to 'https://elsewhere\.example/dir'"):
        authority.issue(issuing.wish(NAME), quick)


# S-ACME-03

KEY = new_key()


def other_names(pem: bytes, pki: Pki) -> bytes:
    return signed_for(pki, "mx2.example.org")


def signed_for(pki: Pki, name: str) -> bytes:
    """A certificate for our key, from another authority."""
    from tests.dnsops.acme.lying import certificate

    return certificate(pki, KEY, name)


LIES: dict[str, tuple[Callable[[bytes, Pki], bytes], str]] = {
    "another key": (lambda pem, pki: pki.issue([NAME]).chain, "issued for another key than ours"),
    "another name": (other_names, "it is not for mx1.example.org"),
    "another chain": (lambda pem, pki: leaf_of(pem) + pki.ca.read_bytes(), "not issued by the one after it"),
    "the chain backwards": (lambda pem, pki: backwards(pem), "issued for another key"),
    "no certificate": (lambda pem, pki: b"<html>", "holds no PEM certificate"),
    "half of it": (lambda pem, pki: pem[: len(pem) - 200], "damaged or cut off"),
}


def leaf_of(pem: bytes) -> bytes:
    return x509.load_pem_x509_certificates(pem)[0].public_bytes(Encoding.PEM)


def backwards(pem: bytes) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in reversed(x509.load_pem_x509_certificates(pem)))


@pytest.mark.parametrize("lie", LIES)
def test_s_acme_03_what_is_issued_is_looked_at(lie: str, front: Ari, authority: Acme, quick: Quick, pki: Pki) -> None:
    make, sentence = LIES[lie]
    front.tamper = lambda pem: make(pem, pki)
    with pytest.raises(ForUser, match=sentence):
        authority.issue(issuing.wish(NAME, key=KEY), quick)


def test_s_acme_03_another_directory_is_another_account(
    front: Ari, authority: Acme, pebble: Any, tmp_path: Path
) -> None:
    assert authority.account_uri != issuing.authority(pebble.url, tmp_path).account_uri
    keys = {path.read_text() for path in tmp_path.glob("acme/*/account.json")}
    assert len(keys) == 2


def test_s_acme_03_a_swapped_account_file_is_refused(front: Ari, authority: Acme, pebble: Any, tmp_path: Path) -> None:
    issuing.authority(pebble.url, tmp_path).account_uri  # noqa: B018 (asking registers)
    (tmp_path / "acme/192.0.2.14-14000-dir").rename(tmp_path / "acme/192.0.2.14-14001-dir")
    with pytest.raises(ForUser, match=r"it is the account at https://192\.0\.2\.14:14000/dir"):
        authority.account_uri  # noqa: B018
