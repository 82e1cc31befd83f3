"""Cloudflare's own ways: zones on many pages, proxied and delegated names, TTLs, comments, the token kept to ourselves."""

from __future__ import annotations

import io
import ipaddress
import logging
import traceback
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dnsops.base.errors import Deliberate, ForUser, Later, Misconfigured
from dnsops.base.secrets import Secret
from dnsops.providers.cloudflare import Cloudflare
from dnsops.providers.cloudflare_calls import Calls
from dnsops.providers.door import Change, Mark
from tests.dnsops.providers.places import ZONE, record
from tests.lab.cloudflare_api import CloudflareApi

TLSA = record("_25._tcp.mx.example.org", "TLSA", "3 1 1 " + "ab" * 32)


@pytest.fixture
def provider(api: CloudflareApi) -> Cloudflare:
    return Cloudflare(Secret(api.token), api.url, sleep=lambda _: None)


def test_the_zone_ends_at_a_labels_border(api: CloudflareApi, provider: Cloudflare) -> None:
    provider.write(
        Change(add=(record("a.notexample.org", "A", "192.0.2.1"), record("a.example.org", "A", "192.0.2.2")))
    )
    assert [one.name for one in api.records("notexample.org")] == ["a.notexample.org"]
    assert [one.name for one in api.records("example.org")] == ["a.example.org"]


def test_the_closest_zone_wins() -> None:
    with CloudflareApi(["example.org", "mail.example.org"]) as api:
        provider = Cloudflare(Secret(api.token), api.url)
        provider.write(Change(add=(record("mx.mail.example.org", "A", "192.0.2.1"),)))
        provider.write(Change(add=(record("xmail.example.org", "A", "192.0.2.1"),)))
        assert [one.name for one in api.records("mail.example.org")] == ["mx.mail.example.org"]
        assert {held.record.name for held in provider.read("example.org", below=True)} == {
            "mx.mail.example.org",
            "xmail.example.org",
        }


def test_a_name_below_a_delegation_is_refused_before_anything_is_written(
    api: CloudflareApi, provider: Cloudflare
) -> None:
    api.edit(ZONE, "NS", "child.example.org", content="ns.example.net", ttl=3600)
    with pytest.raises(ForUser, match=r"mx\.child\.example\.org: child\.example\.org is delegated"):
        provider.write(Change(add=(TLSA, record("mx.child.example.org", "TXT", '"x"'))))
    assert api.records(ZONE, "TLSA") == []


def test_the_zones_are_asked_for_once(api: CloudflareApi, provider: Cloudflare) -> None:
    for _ in range(3):
        provider.read("mx.example.org")
    assert [request.path.rpartition("/")[2] for request in api.log].count("zones") == 2, "61 zones are two pages"


def test_a_token_without_zones_and_one_without_the_right_zone(api: CloudflareApi) -> None:
    for zones, told in (([], "now: none"), (["notexample.org"], "now: notexample.org")):
        provider = Cloudflare(Secret(api.grant(zones)), api.url)
        with pytest.raises(ForUser, match="no zone of the Cloudflare token holds") as refusal:
            provider.write(Change(add=(TLSA,)))
        assert told in str(refusal.value)


@pytest.mark.parametrize(
    "comment, mark",
    [
        ("mailsrv tlsa", Mark.OURS),
        ("mailsrv", Mark.OURS),
        ("mailsrvx", Mark.FOREIGN),
        ("not mailsrv", Mark.FOREIGN),
        ("", Mark.FOREIGN),
        (None, Mark.FOREIGN),
    ],
)
def test_the_mark_is_the_comments_first_word(
    api: CloudflareApi, provider: Cloudflare, comment: str, mark: Mark
) -> None:
    api.edit(ZONE, "A", "host.example.org", content="192.0.2.1", comment=comment)
    assert [held.mark for held in provider.read("host.example.org", "A")] == [mark]


@pytest.mark.parametrize("ttl", [0, 1, 2, 59, 86401])
def test_a_tlsa_ttl_that_nobody_can_wait_for_is_refused(api: CloudflareApi, provider: Cloudflare, ttl: int) -> None:
    with pytest.raises(ForUser, match="TTL"):
        provider.write(Change(add=(replace(TLSA, ttl=ttl),)))
    assert list(api.log) == []


def test_automatic_is_one_when_written_and_300_when_read(api: CloudflareApi, provider: Cloudflare) -> None:
    automatic = record("host.example.org", "A", "192.0.2.1", 1)
    for _ in range(2):
        provider.write(Change(add=(automatic,)))
    assert [one.ttl for one in api.records(ZONE)] == [1]
    assert [held.record.ttl for held in provider.read("host.example.org", "A")] == [300]
    assert sum(request.method != "GET" for request in api.log) == 1, "it was there already"


def test_a_proxied_record_is_neither_changed_nor_taken_for_ours(api: CloudflareApi, provider: Cloudflare) -> None:
    proxied = api.edit(ZONE, "A", "host.example.org", content="192.0.2.1", proxied=True)
    there = record("host.example.org", "A", "192.0.2.1")
    for change in (
        Change(add=(there,)),
        Change(remove=(there,)),
        Change(add=(record("host.example.org", "A", "192.0.2.2"),)),
    ):
        with pytest.raises(ForUser, match="proxied by Cloudflare"):
            provider.write(change)
    assert api.records(ZONE) == [proxied]


def test_text_without_quotes_is_the_same_record(api: CloudflareApi, provider: Cloudflare) -> None:
    api.edit(ZONE, "TXT", "host.example.org", content="v=spf1 -all")
    ours = record("host.example.org", "TXT", '"v=spf1 -all"')
    provider.write(Change(add=(ours,)))
    assert len(api.records(ZONE)) == 1
    provider.write(Change(remove=(record("host.example.org", "TXT", '"v=spf1" " -all"'),)))
    assert api.records(ZONE) == [], "how a text is cut into strings says nothing"


def test_a_list_that_changes_while_it_is_read_is_read_again() -> None:
    class Turning(Calls):
        """A zone of two pages that grows while they are turned, once."""

        turns = 0

        def records(self, zone: str, page: int, filters: object) -> dict[str, object]:
            self.turns += 1
            total = 2 if self.turns == 1 else 3
            names = ("a", "b") if page == 1 else ("c",)
            items = [
                {"id": name, "name": f"{name}.example.org", "type": "A", "content": "192.0.2.1", "ttl": 60.0}
                for name in names
            ]
            return {"result": items, "result_info": {"per_page": 2.0, "total_count": total}}

        def zones(self, page: int) -> dict[str, object]:
            return {"result": [{"id": "z", "name": "example.org"}], "result_info": {"per_page": 50}}

    calls = Turning(Secret("x"))
    provider = Cloudflare(Secret("x"), calls=calls, sleep=lambda _: None)
    assert [held.record.name[0] for held in provider.read("example.org", below=True)] == ["a", "b", "c"]
    assert calls.turns == 4


@pytest.mark.parametrize(
    "items",
    [
        ["no object"],
        [{"id": "i"}],
        [{"id": "i", "type": "A", "name": "host.example.org", "ttl": "soon"}],
        [{"id": 5, "type": "A", "name": "host.example.org", "ttl": 60}],
        None,
        {},
    ],
)
def test_answers_that_are_no_records_end_in_later(items: object) -> None:
    class Odd(Calls):
        def zones(self, page: int) -> dict[str, object]:
            return {"result": [{"id": "z", "name": "example.org"}], "result_info": {"per_page": 50}}

        def records(self, zone: str, page: int, filters: object) -> dict[str, object]:
            return {"result": items, "result_info": {"per_page": 50}}

    with pytest.raises(Later):
        Cloudflare(Secret("x"), calls=Odd(Secret("x")), sleep=lambda _: None).read("host.example.org")


# the token


def test_the_token_is_in_no_error_and_in_no_log(api: CloudflareApi, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    watch = logging.StreamHandler(stream)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(watch)
    root.setLevel(logging.DEBUG)
    monkeypatch.setenv("CLOUDFLARE_LOG", "debug")
    try:
        told = [*_provoked(api)]
    finally:
        root.removeHandler(watch)
        root.setLevel(level)
    assert len(told) >= 9
    assert all(api.token not in text for text in told)
    assert api.token not in stream.getvalue()
    assert "api.cloudflare" not in stream.getvalue()
    assert "HTTP Request" not in stream.getvalue()


def _provoked(api: CloudflareApi) -> list[str]:
    """Every kind of error, as str, as repr and as traceback; and the objects that hold the token."""
    token = Secret(api.token)
    told = [
        repr(token),
        repr(Calls(token, api.url)),
        repr(vars(Calls(token, api.url))),
        repr(vars(Cloudflare(token, api.url))),
    ]
    faults = [
        {"status": status, "code": 10000, "message": f"who is {api.token}?"} for status in (400, 401, 403, 429, 500)
    ]
    for fault in [
        *faults,
        {"status": 200, "body": f"<html>{api.token}"},
        {"hang": 0.2},
        {"status": 400, "code": 1004, "message": api.token},
    ]:
        api.fail([fault] * 9)
        try:
            Cloudflare(token, sleep=lambda _: None, calls=Calls(token, api.url, timeout=0.1)).write(Change(add=(TLSA,)))
        except Deliberate as error:
            told += [str(error), repr(error), "".join(traceback.format_exception(error))]
        api.faults.clear()
    try:
        Cloudflare(token, "http://127.0.0.1:9/", sleep=lambda _: None).read("mx.example.org")
    except Later as error:
        told.append("".join(traceback.format_exception(error)))
    return told


@pytest.mark.parametrize("token", ["", "with blank", "line\nend", "ünicode", "x" * 2000, "nul\0"])
def test_a_token_that_is_none_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        Cloudflare(Secret(token), "https://api.cloudflare.com/client/v4")
    assert not token or token not in str(refusal.value)


@pytest.mark.parametrize(
    "url, allowed",
    [
        ("https://api.cloudflare.com/client/v4", True),
        ("http://127.0.0.1:8080/", True),
        ("http://[::1]:8080/", True),
        ("http://localhost/", True),
        ("http://192.0.2.1/", False),
        ("http://127.0.0.1.example.org/", False),
        ("ftp://x/", False),
        ("", True),
    ],
)
def test_the_token_travels_over_tls_or_not_at_all(url: str, allowed: bool) -> None:
    try:
        Cloudflare(Secret("x"), url)
        assert allowed
    except Misconfigured:
        assert not allowed


def test_other_credentials_of_the_environment_are_not_sent(api: CloudflareApi, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL", "CLOUDFLARE_API_USER_SERVICE_KEY", "CLOUDFLARE_API_TOKEN"):
        monkeypatch.setenv(name, "stray")
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", api.url)
    client = Calls(Secret(api.token))._sdk()
    assert "stray" not in str(client.auth_headers)
    Cloudflare(Secret(api.token)).write(Change(add=(TLSA,)))
    assert len(api.records(ZONE)) == 1


def test_an_answer_too_large_is_cut_off(api: CloudflareApi) -> None:
    token = Secret(api.token)
    with pytest.raises(Later, match="too large"):
        Cloudflare(token, sleep=lambda _: None, calls=Calls(token, api.url, largest=1000)).read("mx.example.org")


def test_the_services_certificate_is_checked_against_ssl_cert_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = _self_signed(tmp_path)
    with CloudflareApi(certificate=(certificate, key)) as api:
        url = f"https://127.0.0.1:{api._server.server_port}/client/v4"
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        with pytest.raises(Later, match="CERTIFICATE_VERIFY_FAILED"):
            Cloudflare(Secret(api.token), url, sleep=lambda _: None).read("mx.example.org")
        assert list(api.log) == [], "the token was not sent to a stranger"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert Cloudflare(Secret(api.token), url).read("mx.example.org") == ()


def _self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lab")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1)
        )
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths
