"""The light receivers: what they show, that they switch, that they are many."""

import smtplib
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.lab.mx import Mx
from tests.lab.pki import Pki


@pytest.fixture
def authority(tmp_path):
    return Pki(tmp_path)


@pytest.fixture
def local_mx():
    with Mx() as servers:
        yield servers


def peer(port, implicit, address="127.0.0.1"):
    """The certificate that a server shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if implicit:
        with smtplib.SMTP_SSL(address, port, context=context, timeout=10) as session:
            return session.sock.getpeercert(binary_form=True)
    with smtplib.SMTP(address, port, timeout=10) as session:
        session.starttls(context=context)
        return session.sock.getpeercert(binary_form=True)


def der(credentials):
    return x509.load_pem_x509_certificate(credentials.chain).public_bytes(Encoding.DER)


@pytest.mark.parametrize("implicit", [False, True])
def test_a_certificate_is_switched_while_running(authority, local_mx, implicit):
    old, new = authority.issue(["mx1.example.org"]), authority.issue(["mx1.example.org"])
    port = local_mx.listen(credentials=old, implicit=implicit)
    assert peer(port, implicit) == der(old)
    local_mx.switch(("127.0.0.1", port), new)
    assert peer(port, implicit) == der(new)


def test_without_credentials_there_is_no_starttls(local_mx):
    with smtplib.SMTP("127.0.0.1", local_mx.listen(), timeout=10) as session:
        session.ehlo()
        assert not session.has_extn("starttls")


def test_a_message_is_kept(authority, local_mx):
    port = local_mx.listen(credentials=authority.issue(["mx1.example.org"]))
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as session:
        session.sendmail("a@sender.lab", ["user1@example.org"], "Subject: hi\r\n\r\n.a dot\r\n")
    while not local_mx.messages:
        time.sleep(0.01)
    [message] = local_mx.messages
    assert (message.sender, message.recipients, message.tls) == ("a@sender.lab", ("user1@example.org",), "")
    assert message.content.endswith(b"\r\n\r\n.a dot")


def test_two_hundred_addresses_at_once(authority, lab, mx):
    one = authority.issue(["*.example.org"])
    for number in range(1, 201):
        mx.listen(f"203.0.113.{number}", 25, one)
    assert {peer(25, False, f"203.0.113.{number}") == der(one) for number in (1, 100, 200)} == {True}
