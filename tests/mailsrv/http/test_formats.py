"""Our set-up documents beside real ones: the words that the ISPDB's files, Exchange's answers and Apple's schema use, as tables.

Learnt from what is in use: some hundred files of Thunderbird's ISPDB and its definition of the format; Microsoft's reference of
Autodiscover's POX elements, and the answers of a dozen other servers; Apple's published schema of com.apple.mail.managed and of
the keys that all payloads share. Each document of ours may say nothing that is not in its table, and says all that must be there.
"""

from __future__ import annotations

import plistlib
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from mailsrv.http.site import Asked
from tests.mailsrv.http.house import HOST, get, outlook, site

MANY = 99
NUMBER = re.compile(r"[1-9][0-9]{0,4}\Z")
NAME = re.compile(r"[a-z0-9.-]+\Z")
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\Z")
SOME = re.compile(r"\S.*\Z")
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "all listeners": {},
    "STARTTLS only": {"listeners": {"imaps": {"enabled": False}, "submissions": {"enabled": False}}},
    "other ports": {"listeners": {"imaps": {"port": 1993}, "submissions": {"port": 2465}}},
    "no name to show": {"web": {}},
}


@dataclass(frozen=True)
class Element:
    """What may stand in it: values, or a pattern; None: other elements. least, most: how often in its parent."""

    values: frozenset[str] | re.Pattern[str] | None = None
    least: int = 0
    most: int = 1
    attributes: dict[str, re.Pattern[str] | frozenset[str]] = field(default_factory=dict)


def one_of(*words: str) -> frozenset[str]:
    return frozenset(words)


def fits(text: str, allowed: re.Pattern[str] | frozenset[str]) -> bool:
    return text in allowed if isinstance(allowed, frozenset) else bool(allowed.match(text))


def held(root: ElementTree.Element, table: dict[str, Element], path: str = "") -> None:
    """path: the tags on the way to it, separated by blanks. An element and all below it say nothing but what the table has, and each as often as it may."""
    path = f"{path} {root.tag}".strip()
    known = table.get(path)
    assert known is not None, f"{path}: real ones have no such element"
    assert set(root.attrib) == set(known.attributes), path
    assert all(fits(root.attrib[name], allowed) for name, allowed in known.attributes.items()), (path, root.attrib)
    if known.values is not None:
        assert len(root) == 0
        assert fits(root.text or "", known.values), (path, root.text)
        return
    assert not (root.text or "").strip(), path
    counts = Counter(f"{path} {child.tag}" for child in root)
    for below, element in table.items():
        if below.rpartition(" ")[0] == path:
            assert element.least <= counts[below] <= element.most, (below, counts[below])
    for child in root:
        held(child, table, path)


# Thunderbird

PROVIDER = "clientConfig emailProvider"
LOGIN = one_of("%EMAILADDRESS%", "%EMAILLOCALPART%", "%EMAILLOCALPART%@%EMAILDOMAIN%")
SECRETS = one_of("password-cleartext", "password-encrypted", "OAuth2", "GSSAPI", "NTLM", "TLS-client-cert",
                 "client-IP-address", "none")  # fmt: skip
SERVER = {
    "hostname": Element(NAME, 1),
    "port": Element(NUMBER, 1),
    "socketType": Element(one_of("SSL", "STARTTLS", "plain"), 1),
    "authentication": Element(SECRETS, 1, MANY),
    "username": Element(LOGIN, 1),
}
ISPDB = {
    "clientConfig": Element(attributes={"version": one_of("1.1")}),
    PROVIDER: Element(None, 1, 1, {"id": NAME}),
    f"{PROVIDER} domain": Element(NAME, 1, MANY),
    f"{PROVIDER} displayName": Element(SOME, 1),
    f"{PROVIDER} displayShortName": Element(SOME, 0),
    f"{PROVIDER} incomingServer": Element(None, 1, MANY, {"type": one_of("imap", "pop3")}),
    f"{PROVIDER} outgoingServer": Element(None, 1, MANY, {"type": one_of("smtp")}),
    **{f"{PROVIDER} {way}Server {tag}": one for way in ("incoming", "outgoing") for tag, one in SERVER.items()},
}


def autoconfig(**changes: Any) -> ElementTree.Element:
    return ElementTree.fromstring(site(**changes).answer(get("autoconfig.example.org", "/mail/config-v1.1.xml")).body)


@pytest.mark.parametrize("changes", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_thunderbirds_document_is_like_those_of_the_ispdb(changes: dict[str, Any]) -> None:
    root = autoconfig(**changes)
    held(root, ISPDB)
    assert "plain" not in {one.text for one in root.iter("socketType")}
    for way in ("incomingServer", "outgoingServer"):
        kinds = [one.findtext("socketType") for one in root.iter(way)]
        assert kinds == sorted(kinds), "SSL before STARTTLS, as programs try them"


def test_the_table_finds_what_is_not_right() -> None:
    """A check that finds nothing is none: each of these is a mistake that is made."""
    spoilt: list[Callable[[Any], object]] = [
        lambda root: root.set("version", "1.0"),
        lambda root: root.find("emailProvider").attrib.clear(),
        lambda root: setattr(root.find(".//socketType"), "text", "TLS"),
        lambda root: setattr(root.find(".//authentication"), "text", "plain"),
        lambda root: setattr(root.find(".//username"), "text", "%EMAIL%"),
        lambda root: root.find(".//incomingServer").remove(root.find(".//incomingServer/port")),
        lambda root: root.find(".//incomingServer").set("type", "IMAP"),
        lambda root: ElementTree.SubElement(root.find("emailProvider"), "server"),
    ]
    for spoil in spoilt:
        root = autoconfig()
        spoil(root)
        with pytest.raises(AssertionError):
            held(root, ISPDB)


# Outlook

POX = "/autodiscover/autodiscover.xml"
OUTER = "{http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006}"
INNER = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"
SWITCH = one_of("on", "off")
PROTOCOL = {
    "Type": Element(one_of("IMAP", "POP3", "SMTP"), 1),
    "Server": Element(NAME, 1),
    "Port": Element(NUMBER, 1),
    "DomainRequired": Element(SWITCH),
    "LoginName": Element(ADDRESS),
    "SPA": Element(SWITCH),
    "SSL": Element(SWITCH),
    "Encryption": Element(one_of("None", "SSL", "TLS", "Auto")),
    "AuthRequired": Element(SWITCH),
    "UsePOPAuth": Element(SWITCH),
    "SMTPLast": Element(SWITCH),
}


def inner(*tags: str) -> str:
    return " ".join((f"{OUTER}Autodiscover", *(INNER + tag for tag in ("Response", *tags))))


ANSWER = {
    f"{OUTER}Autodiscover": Element(),
    inner(): Element(None, 1),
    inner("User"): Element(None, 0),
    inner("User", "DisplayName"): Element(SOME, 0),
    inner("Account"): Element(None, 1),
    inner("Account", "AccountType"): Element(one_of("email"), 1),
    inner("Account", "Action"): Element(one_of("settings"), 1),
    inner("Account", "Protocol"): Element(None, 1, MANY),
    **{inner("Account", "Protocol", tag): one for tag, one in PROTOCOL.items()},
}
CLOCK, DIGITS = re.compile(r"\d\d:\d\d:\d\d(\.\d+)?\Z"), re.compile(r"\d+\Z")
ERROR = {
    f"{OUTER}Autodiscover": Element(),
    f"{OUTER}Autodiscover {OUTER}Response": Element(None, 1),
    f"{OUTER}Autodiscover {OUTER}Response {OUTER}Error": Element(None, 1, 1, {"Time": CLOCK, "Id": DIGITS}),
    f"{OUTER}Autodiscover {OUTER}Response {OUTER}Error {OUTER}ErrorCode": Element(one_of("600", "601"), 1),
    f"{OUTER}Autodiscover {OUTER}Response {OUTER}Error {OUTER}Message": Element(SOME, 1),
    f"{OUTER}Autodiscover {OUTER}Response {OUTER}Error {OUTER}DebugData": Element(one_of(""), 1),
}


def posted(body: bytes, path: str = POX, **changes: Any) -> ElementTree.Element:
    answer = site(**changes).answer(Asked("POST", "autodiscover.example.org", path, {}, body))
    return ElementTree.fromstring(answer.body)


@pytest.mark.parametrize("changes", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_outlooks_answer_is_like_those_of_exchange(changes: dict[str, Any]) -> None:
    root = posted(outlook("a@example.org"), **changes)
    held(root, ANSWER)
    assert {one.text for one in root.iter(f"{INNER}SSL")} == {"on"}
    assert {one.text for one in root.iter(f"{INNER}Encryption")} <= {"SSL", "TLS"}
    for tag in PROTOCOL:
        counts = {len(one.findall(INNER + tag)) for one in root.iter(f"{INNER}Protocol")}
        assert counts == ({0, 1} if tag in ("UsePOPAuth", "SMTPLast") else {1}), tag


def test_errors_are_like_those_of_exchange() -> None:
    mobile = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
    for body in (b"", outlook("a@example.org", mobile)):
        held(posted(body), ERROR)


REQUEST = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
WANTED = f"<AcceptableResponseSchema>{INNER[1:-1]}</AcceptableResponseSchema>"
REQUESTS = {
    "address first": f"<Autodiscover xmlns='{REQUEST}'><Request><EMailAddress>a@example.org</EMailAddress>{WANTED}</Request></Autodiscover>",
    "schema first": f"<Autodiscover xmlns='{REQUEST}'><Request>{WANTED}<EMailAddress>a@example.org</EMailAddress></Request></Autodiscover>",
    "a prefix": f"<q:Autodiscover xmlns:q='{REQUEST}'><q:Request><q:EMailAddress>a@example.org</q:EMailAddress></q:Request></q:Autodiscover>",
    "more namespaces": "<Autodiscover xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "
    f"xmlns='{REQUEST}'><Request><EMailAddress>a@example.org</EMailAddress>{WANTED}</Request></Autodiscover>",
    "white space": f"\r\n<Autodiscover xmlns='{REQUEST}'>\r\n\t<Request>\r\n\t\t<EMailAddress> a@example.org </EMailAddress>{WANTED}</Request></Autodiscover>\r\n",
    "a legacy name beside it": f"<Autodiscover xmlns='{REQUEST}'><Request><EMailAddress>a@example.org</EMailAddress>"
    f"<LegacyDN>/o=x/cn=a</LegacyDN>{WANTED}</Request></Autodiscover>",
}


@pytest.mark.parametrize("text", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
@pytest.mark.parametrize("path", [POX, "/Autodiscover/Autodiscover.xml", "/AutoDiscover/AutoDiscover.xml"])
def test_requests_as_programs_write_them(text: str, mark: bytes, path: str) -> None:
    held(posted(mark + text.encode(), path), ANSWER)


# Apple


@dataclass(frozen=True)
class Key:
    kind: type
    required: bool = False
    values: frozenset[Any] | re.Pattern[str] | None = None


UUID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\Z")
PAYLOAD = {
    "PayloadType": Key(str, True),
    "PayloadVersion": Key(int, True, frozenset({1})),
    "PayloadIdentifier": Key(str, True, re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z")),
    "PayloadUUID": Key(str, True, UUID),
    "PayloadDescription": Key(str),
    "PayloadDisplayName": Key(str),
    "PayloadOrganization": Key(str),
}
TOP = PAYLOAD | {
    "PayloadType": Key(str, True, one_of("Configuration")),
    "PayloadContent": Key(list, True),
    "PayloadRemovalDisallowed": Key(bool),
    "PayloadScope": Key(str, values=one_of("System", "User")),
}
PASSWORD = one_of("EmailAuthNone", "EmailAuthPassword", "EmailAuthCRAMMD5", "EmailAuthNTLM", "EmailAuthHTTPMD5")
SERVERS = {
    f"{way}MailServer{word}": key
    for way in ("Incoming", "Outgoing")
    for word, key in {
        "Authentication": Key(str, True, PASSWORD),
        "HostName": Key(str, True, NAME),
        "PortNumber": Key(int),
        "UseSSL": Key(bool),
        "Username": Key(str, values=ADDRESS),
    }.items()
}
SWITCHES = ("OutgoingPasswordSameAsIncomingPassword", "PreventMove", "PreventAppSheet", "SMIMEEnabled",
            "SMIMESigningEnabled", "SMIMEEncryptionEnabled", "disableMailRecentsSyncing", "allowMailDrop")  # fmt: skip
MAIL = (
    PAYLOAD
    | {
        "PayloadType": Key(str, True, one_of("com.apple.mail.managed")),
        "EmailAccountType": Key(str, True, one_of("EmailTypeIMAP", "EmailTypePOP")),
        "EmailAccountDescription": Key(str),
        "EmailAccountName": Key(str),
        "EmailAddress": Key(str, values=ADDRESS),
        "IncomingMailServerIMAPPathPrefix": Key(str),
    }
    | SERVERS
    | {name: Key(bool) for name in SWITCHES}
)


def keyed(payload: dict[str, Any], table: dict[str, Key]) -> None:
    assert set(payload) <= set(table), "Apple's schema has no such key"
    assert {name for name, key in table.items() if key.required} <= set(payload)
    for name, value in payload.items():
        assert type(value) is table[name].kind, name
        allowed = table[name].values
        assert allowed is None or (value in allowed if isinstance(allowed, frozenset) else allowed.match(value)), name


@pytest.mark.parametrize("address", ["alice@example.org", "a.b+c_d@example.org", "o'neill@example.org"])
@pytest.mark.parametrize("changes", CONFIGURATIONS.values(), ids=CONFIGURATIONS)
def test_apples_profile_is_as_its_schema_says(changes: dict[str, Any], address: str) -> None:
    answer = site(**changes).answer(get("mail.example.org", "/profile.mobileconfig", email=address))
    assert answer.type.partition(";")[0] == "application/x-apple-aspen-config"
    assert b'<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN"' in answer.body, "as Apple's own programs write it"
    profile = plistlib.loads(answer.body)
    keyed(profile, TOP)
    (account,) = profile["PayloadContent"]
    keyed(account, MAIL)
    assert account["PayloadIdentifier"].startswith(profile["PayloadIdentifier"] + ".")
    assert account["PayloadUUID"] != profile["PayloadUUID"]
    assert {account[f"{way}MailServerHostName"] for way in ("Incoming", "Outgoing")} == {HOST}
    assert all(account[f"{way}MailServerUseSSL"] for way in ("Incoming", "Outgoing"))
    assert account["OutgoingPasswordSameAsIncomingPassword"] is True, "it is asked for once"
