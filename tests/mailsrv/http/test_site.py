"""What stands at which name: tables of requests and answers, and what no answer may tell."""

from __future__ import annotations

import json
import plistlib
import random
import xml.etree.ElementTree as ElementTree
from html import unescape

import pytest

from mailsrv.http.site import Asked, Site
from tests.mailsrv.http.house import DOCUMENTS, HOST, configured, get, outlook, site

POX = "/autodiscover/autodiscover.xml"
JSON = "/autodiscover/autodiscover.json"
CONFIG = "/mail/config-v1.1.xml"
KNOWN = "/.well-known/autoconfig/mail/config-v1.1.xml"
POLICY = "/.well-known/mta-sts.txt"
UAAC = "/.well-known/user-agent-configuration.json"
PROFILE = "/profile.mobileconfig"


@pytest.mark.parametrize(
    "host,path,status",
    [
        ("mta-sts.example.org", POLICY, 200),
        ("mta-sts.example.net", POLICY, 200),
        ("mta-sts.example.org", CONFIG, 404),
        ("mta-sts.example.org", "/", 404),
        ("example.org", POLICY, 404),
        (HOST, POLICY, 404),
        ("ua-auto-config.example.org", UAAC, 200),
        ("example.org", UAAC, 404),
        ("autoconfig.example.org", CONFIG, 200),
        ("autoconfig.example.org", KNOWN, 200),
        ("example.org", KNOWN, 200),
        (HOST, KNOWN, 200),
        ("autoconfig.example.org", POX, 404),
        ("autodiscover.example.org", POX, 405),
        ("autodiscover.example.org", "/Autodiscover/Autodiscover.xml", 405),
        ("mail.example.org", "/", 200),
        ("mail.example.org", "/metrics", 404),
        ("mail.example.org", "/health", 404),
        ("mail.example.org", "/%2e%2e/etc/passwd", 404),
        ("mail.example.org", "/../etc/passwd", 404),
        ("", "/", 421),
        ("evil.example", POLICY, 421),
        ("mta-sts.evil.example", POLICY, 421),
        ("mta-sts.example.org.evil.example", POLICY, 421),
        ("smtp.example.org", "/", 421),
        ("127.0.0.1", "/", 421),
    ],
)
def test_what_stands_at_which_name(host: str, path: str, status: int) -> None:
    assert site().answer(get(host, path)).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", ""])
@pytest.mark.parametrize("path", [POLICY, "/nothing"])
def test_only_reading(method: str, path: str) -> None:
    answer = site().answer(Asked(method, "mta-sts.example.org", path))
    assert answer.status == (405 if path == POLICY else 404)
    if answer.status == 405:
        assert ("Allow", "GET, HEAD") in answer.headers


def test_the_documents_that_dns_has_hashes_of_are_given_to_the_byte() -> None:
    policy = site().answer(get("mta-sts.example.org", POLICY))
    assert (policy.body, policy.type.partition(";")[0]) == (DOCUMENTS["example.org"].policy, "text/plain")
    assert site().answer(get("ua-auto-config.example.net", UAAC)).body == DOCUMENTS["example.net"].uaac
    assert Site.of(configured(), {}).answer(get("mta-sts.example.org", POLICY)).status == 404


@pytest.mark.parametrize(
    "changes,gone,left",
    [
        ({"records": {"client_setup": False}}, ("autoconfig.example.org", CONFIG), ("mta-sts.example.org", POLICY)),
        ({"records": {"client_name": False}}, ("mail.example.org", "/"), ("autoconfig.example.org", CONFIG)),
        ({"domains": ["example.net"]}, ("autoconfig.example.org", CONFIG), ("autoconfig.example.net", CONFIG)),
    ],
)
def test_what_is_not_wished_is_not_there(
    changes: dict[str, object], gone: tuple[str, str], left: tuple[str, str]
) -> None:
    assert site(**changes).answer(get(*gone)).status in (404, 421)
    assert site(**changes).answer(get(*left)).status == 200


def test_names_that_mean_two_things_at_once() -> None:
    """The host may be mail.D or D; one domain may be another's mail name."""
    same = site(hostname="mail.example.org")
    assert same.answer(get("mail.example.org", "/")).status == 200
    both = site(domains=["example.org", "mail.example.org"])
    assert b"Mail for mail.example.org" in both.answer(get("mail.example.org", "/")).body
    assert site(domains=[]).answer(get(HOST, "/")).status == 421


# addresses


def everything(address: str) -> list[Asked]:
    """Each request in which an address can stand."""
    return [
        get("autoconfig.example.org", CONFIG, emailaddress=address),
        get("example.org", KNOWN, emailaddress=address),
        Asked("POST", "autodiscover.example.org", POX, {}, outlook(address)),
        get("autodiscover.example.org", JSON, email=address, protocol="AutodiscoverV1"),
        get("autodiscover.example.org", f"{JSON}/v1.0/{address}", protocol="autodiscoverv1"),
        get("mail.example.org", PROFILE, email=address),
    ]


def test_nobody_learns_who_has_an_account() -> None:
    """An existing account's answers are those of an invented one, but for the address in them."""
    house = site(accounts=[{"name": "alice", "addresses": ["alice@example.org"]}])
    for real, invented in zip(everything("alice@example.org"), everything("xlicx@example.org"), strict=True):
        first, second = house.answer(real), house.answer(invented)
        assert first.status == second.status == 200
        assert first.headers == second.headers
        if first.type.startswith("application/x-apple"):
            assert shape(first.body, "alice@example.org") == shape(second.body, "xlicx@example.org")
        else:
            assert first.body.replace(b"alice@", b"xlicx@") == second.body


def shape(profile: bytes, address: str) -> object:
    """A profile without its address and the identifiers that come from it."""
    found = plistlib.loads(profile)
    text = json.dumps(found, sort_keys=True).replace(address, "")
    for one in (found, *found["PayloadContent"]):
        for key in ("PayloadUUID", "PayloadIdentifier"):
            text = text.replace(one[key], "")
    return text


@pytest.mark.parametrize(
    "address",
    [
        "a@evil.example",
        "example.org",
        "@example.org",
        "a b@example.org",
        "a@example.org\nX: y",
        "a" * 65 + "@example.org",
        "\u202e@example.org",
        "<script>@example.org",
        "a@[127.0.0.1]",
        "a@example.org.",
        "\0@example.org",
    ],
)
def test_other_domains_and_what_is_no_address_get_404(address: str) -> None:
    answers = [site().answer(asked) for asked in everything(address)]
    allowed = {404, 400} if address != "a@example.org." else {200, 404}
    assert {answer.status for answer in answers} <= allowed


def test_an_address_in_another_spelling_is_the_same() -> None:
    said = site().answer(Asked("POST", "example.org", POX, {}, outlook("Alice@EXAMPLE.org"))).body
    assert said == site().answer(Asked("POST", "example.org", POX, {}, outlook("alice@example.org"))).body


def test_nothing_is_reflected_unescaped() -> None:
    """Addresses of all characters that RFC 5321 allows, and some that it does not: the answers stay what they are."""
    chance = random.Random(7)
    letters = "abc019!#$%&'*+-/=?^_`{|}~.\"<>\\ äß\u2028"
    for _ in range(300):
        local = "".join(chance.choice(letters) for _ in range(chance.randint(1, 12)))
        for asked in everything(f"{local}@example.org"):
            answer = site().answer(asked)
            assert answer.status in (200, 400, 404)
            if answer.status == 200 and "xml" in answer.type:
                ElementTree.fromstring(answer.body)
            if answer.status == 200 and "apple" in answer.type:
                assert plistlib.loads(answer.body)["PayloadContent"][0]["EmailAddress"].endswith("@example.org")
            assert all("\n" not in value and "\r" not in value for _, value in answer.headers)


# the formats


def test_thunderbird_finds_its_servers() -> None:
    root = ElementTree.fromstring(site().answer(get("autoconfig.example.org", CONFIG)).body)
    assert (root.tag, root.get("version")) == ("clientConfig", "1.1")
    provider = root.find("emailProvider")
    assert provider is not None
    assert (provider.get("id"), provider.findtext("domain"), provider.findtext("displayName")) == (
        "example.org",
        "example.org",
        "Mail & <more>",
    )
    leaves = ("hostname", "port", "socketType", "authentication", "username")
    servers = [
        (one.tag, one.get("type"), *(one.findtext(leaf) for leaf in leaves))
        for one in provider
        if one.tag.endswith("Server")
    ]
    rest = ("password-cleartext", "%EMAILADDRESS%")
    assert servers == [
        ("incomingServer", "imap", HOST, "993", "SSL", *rest),
        ("incomingServer", "imap", HOST, "143", "STARTTLS", *rest),
        ("outgoingServer", "smtp", HOST, "465", "SSL", *rest),
        ("outgoingServer", "smtp", HOST, "587", "STARTTLS", *rest),
    ]


def test_a_listener_that_is_off_is_offered_to_nobody() -> None:
    house = site(
        listeners={"imaps": {"enabled": False}, "submissions": {"port": 2465}, "submission": {"enabled": False}}
    )
    text = house.answer(get("autoconfig.example.org", CONFIG)).body.decode()
    assert ("993" in text, "143" in text, "2465" in text, "587" in text) == (False, True, True, False)
    none = site(listeners={"imaps": {"enabled": False}, "imap": {"enabled": False}})
    assert none.answer(get("mail.example.org", PROFILE, email="a@example.org")).status == 404
    assert b"<form" not in none.answer(get("mail.example.org", "/")).body


OUTLOOK = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"


def test_outlook_finds_its_servers() -> None:
    answer = site().answer(Asked("POST", "autodiscover.example.org", POX, {}, outlook("a&amp;b@example.org")))
    account = ElementTree.fromstring(answer.body).find(f"{OUTLOOK}Response/{OUTLOOK}Account")
    assert account is not None
    assert (account.findtext(f"{OUTLOOK}AccountType"), account.findtext(f"{OUTLOOK}Action")) == ("email", "settings")
    leaves = ("Type", "Server", "Port", "LoginName", "SSL", "Encryption", "SPA", "AuthRequired")
    assert [tuple(one.findtext(OUTLOOK + leaf) for leaf in leaves) for one in account.iter(f"{OUTLOOK}Protocol")] == [
        ("IMAP", HOST, "993", "a&b@example.org", "on", "SSL", "off", "on"),
        ("SMTP", HOST, "465", "a&b@example.org", "on", "SSL", "off", "on"),
    ]


def test_who_wants_activesync_hears_that_it_is_not_here() -> None:
    mobile = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
    answer = site().answer(Asked("POST", "example.org", POX, {}, outlook("a@example.org", mobile)))
    assert answer.status == 200
    assert b"<ErrorCode>601</ErrorCode>" in answer.body


def test_outlook_that_asks_by_json() -> None:
    def asked(protocol: str) -> tuple[int, dict[str, str]]:
        answer = site().answer(get("autodiscover.example.org", JSON, email="a@example.org", protocol=protocol))
        return answer.status, json.loads(answer.body)

    assert asked("AutodiscoverV1") == (
        200,
        {"Protocol": "AutodiscoverV1", "Url": "https://autodiscover.example.org/autodiscover/autodiscover.xml"},
    )
    assert asked("ActiveSync")[0] == 400
    assert asked("ActiveSync")[1]["ErrorCode"] == "InvalidProtocol"


def test_apple_finds_its_servers() -> None:
    answer = site().answer(get("mail.example.org", PROFILE, email="alice@example.org"))
    assert answer.seal
    assert ("Content-Disposition", 'attachment; filename="example.org.mobileconfig"') in answer.headers
    profile = plistlib.loads(answer.body)
    account = profile["PayloadContent"][0]
    assert (profile["PayloadType"], account["PayloadType"]) == ("Configuration", "com.apple.mail.managed")
    for way, port in (("Incoming", 993), ("Outgoing", 465)):
        assert account[f"{way}MailServerHostName"] == HOST
        assert account[f"{way}MailServerPortNumber"] == port
        assert account[f"{way}MailServerUseSSL"] is True
        assert account[f"{way}MailServerUsername"] == "alice@example.org"
    again = plistlib.loads(site().answer(get("mail.example.org", PROFILE, email="alice@example.org")).body)
    other = plistlib.loads(site().answer(get("mail.example.org", PROFILE, email="bob@example.org")).body)
    assert again["PayloadUUID"] == profile["PayloadUUID"] != other["PayloadUUID"]


def test_a_person_finds_them_too() -> None:
    text = unescape(site().answer(get("mail.example.org", "/")).body.decode())
    assert all(word in text for word in (HOST, "993", "465", "SSL/TLS", "Mail & <more>"))
    assert "<script" not in text


# hostile XML

BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>'
FILE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><EMailAddress>&x;</EMailAddress></a>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"<a>",
        b"\0" * 100,
        BOMB,
        FILE,
        BOMB.decode().encode("utf-16"),
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1/x"><a/>',
        b"<!DOCTYPE a><a/>",
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
        b'<?xml version="1.0" encoding="nothing"?><a/>',
        b"<a>&x;</a>",
        b"<a>" * 9 + b"</a>" * 9,
        b"<a>" + b"<b/>" * 64 + b"</a>",
        b"<EMailAddress>" + b"a" * 1025 + b"</EMailAddress>",
        b"<a>" + b" " * (16 << 10) + b"</a>",
        b"<a" + b' x="y"' * 2000 + b"/>",
    ],
    ids=range(18),
)
def test_a_request_that_is_none(body: bytes) -> None:
    answer = site().answer(Asked("POST", "example.org", POX, {}, body))
    assert answer.status == 400
    assert b"root:" not in answer.body
    assert b"<ErrorCode>600</ErrorCode>" in answer.body


def test_a_request_in_utf_16_is_read() -> None:
    body = outlook("a@example.org").decode().replace("utf-8", "utf-16").encode("utf-16")
    assert site().answer(Asked("POST", "example.org", POX, {}, body)).status == 200
