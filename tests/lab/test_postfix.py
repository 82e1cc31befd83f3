"""A stranger's Postfix judges us by DANE (RFC 7672), and does with the mail what follows."""

import pytest

from tests.lab.network import MX
from tests.lab.postfix import Receiver, Verdict
from tests.lab.program import wait_until
from tests.lab.zones import NOBODY

TLSA = "_25._tcp.mx1.example.org"


@pytest.fixture
def ours(mx, pki):
    """What our MX serves."""
    credentials = pki.issue(["mx1.example.org"])
    mx.listen(MX, 25, credentials)
    return credentials


@pytest.fixture
def sent(postfix):
    """Sends one message to user1 of a domain; the queue is empty afterwards."""
    yield lambda domain: postfix.send(f"user1@{domain}")
    postfix.empty()


def test_the_right_record_is_verified_and_mail_flows(clean_zone, postfix, ours, sent):
    clean_zone.replace(TLSA, "TLSA", ours.association)
    assert postfix.finger("example.org") is Verdict.VERIFIED
    delivery = sent("example.org")
    assert (delivery.status, delivery.tls) == ("sent", "Verified")


def test_the_wrong_record_holds_mail_back(clean_zone, postfix, ours, sent):
    clean_zone.replace(TLSA, "TLSA", NOBODY)
    assert postfix.finger("example.org") is Verdict.UNTRUSTED
    delivery = sent("example.org")
    assert (delivery.status, delivery.dsn, delivery.tls) == ("deferred", "4.7.5", "Untrusted")


def test_mail_that_was_held_back_flows_when_the_record_is_right(clean_zone, postfix, ours, sent):
    assert sent("example.org").status == "deferred"
    clean_zone.replace(TLSA, "TLSA", ours.association)
    # Postfix keeps the old answer for a moment
    wait_until(lambda: postfix.flush("user1@example.org").status == "sent", "the queue to flow")


def test_published_before_use_there_is_no_gap(clean_zone, postfix, ours, mx, pki):
    following = pki.issue(["mx1.example.org"])
    clean_zone.replace(TLSA, "TLSA", ours.association, following.association)
    verdicts = [postfix.finger("example.org")]
    mx.switch((MX, 25), following)
    verdicts += [postfix.finger("example.org")]
    clean_zone.replace(TLSA, "TLSA", following.association)
    verdicts += [postfix.finger("example.org")]
    mx.switch((MX, 25), ours)  # the order of the article: the key first, DNS later
    assert [*verdicts, postfix.finger("example.org")] == [Verdict.VERIFIED] * 3 + [Verdict.UNTRUSTED]


@pytest.mark.parametrize(
    "domain,status,says",
    [
        ("bogus.org", "deferred", "TLSA lookup error"),
        ("missig.org", "deferred", "TLSA lookup error"),
        ("expired.org", "deferred", "Name service error"),
        ("unsigned.org", "sent", ""),  # opportunistic: DANE does not apply
        ("nods.org", "sent", ""),
    ],
)
def test_bogus_means_later_and_insecure_means_no_dane(dnstree, postfix, ours, sent, domain, status, says):
    delivery = sent(domain)
    assert delivery.status == status
    assert says in delivery.line


def test_postfix_receives_and_shows_a_new_certificate_after_a_reload(clean_zone, postfix, pki, lab):
    old, new = pki.issue(["mx1.example.org"]), pki.issue(["mx1.example.org"])
    chain, key = old.write(lab / "receiver", "mx1")
    with Receiver(lab, chain, key) as receiver:
        clean_zone.replace(TLSA, "TLSA", old.association)
        assert postfix.send("user1@example.org").status == "sent"
        assert postfix.finger("[mx1.example.org]") is Verdict.VERIFIED
        new.write(lab / "receiver", "mx1")
        receiver.reload()
        wait_until(lambda: postfix.finger("example.org") is Verdict.UNTRUSTED, "the new certificate")
        clean_zone.replace(TLSA, "TLSA", new.association)
        assert postfix.finger("example.org") is Verdict.VERIFIED
