"""Our accounts, one for each authority: key and address on disk, registered, found again, kept up to date.

    STATE/acme/acme-v02.api.letsencrypt.org-directory/account.json      0600: the key, the account's URI, the contact it knows

The key is on disk before anybody is asked: whoever is killed between has the same account afterwards (RFC 8555 7.3.1).
Another directory is another authority, and gets another key. Standards: RFC 8555 7.3 (accounts), 7.3.4 (external binding).
Fails by: `ForUser` for an account that is gone or barred, terms that were not agreed to, a file that cannot be used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from dnsops.acme import signing, words
from dnsops.acme.refusals import Refusal
from dnsops.acme.talk import Talk
from dnsops.base import files, versioned
from dnsops.base.errors import ForUser, Misconfigured
from dnsops.base.keeping import keep
from dnsops.base.secrets import Secret

VERSION = 1
GONE = ("accountDoesNotExist", "unauthorized")


@dataclass(frozen=True, slots=True)
class Binding:
    """External account binding: what the authority handed out. hmac_key: base64url."""

    key_id: str
    hmac_key: Secret


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of an account. contact: a mail address or ""."""

    contact: str = ""
    agreed: bool = True
    binding: Binding | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """directory: the authority's address.  uri: "" until it is registered.  contact: as the authority knows it.
    identities: what CAA records call the authority, as its directory said when we were there."""

    directory: str
    key: Secret
    uri: str = ""
    contact: str = ""
    identities: tuple[str, ...] = ()


class Accounts:
    """Their files."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def path(self, directory: str) -> Path:
        place = re.sub(r"[^a-z0-9._-]+", "-", directory.lower().removeprefix("https://")).strip("-.")
        return self.state / "acme" / place[:200] / "account.json"

    def load(self, directory: str) -> Account | None:
        """None when there is none yet."""
        path = self.path(directory)
        try:
            account = versioned.read(files.read_bounded(path, versioned.LARGEST), VERSION, "an account", _account)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else str(error)
            advice = "restore it, or move it away: then a new account is made"
            raise ForUser(f"the account cannot be read ({why})", str(path), advice) from None
        if account.directory != directory:
            raise ForUser(f"it is the account at {account.directory}", str(path), "move it away")
        return account

    def save(self, account: Account) -> None:
        path = self.path(account.directory)
        fields = {"directory": account.directory, "uri": account.uri, "contact": account.contact}
        identities = list(account.identities)
        advice = "nothing is asked for without it; run as the user who owns it, with disk space left"
        keep(
            self.state,
            path,
            versioned.write(VERSION, **fields, identities=identities, key=account.key.reveal()),
            advice,
        )

    def enter(self, directory: str) -> Account:
        """The account as it is on disk; a new key when there is none."""
        found = self.load(directory)
        if found is None:
            found = Account(directory, signing.new_key())
            self.save(found)
        return found


def settle(talk: Talk, accounts: Accounts, account: Account, terms: Terms) -> Account:
    """The account registered, alive, and with our contact; `talk` speaks as it from now on."""
    settled = _checked(talk, accounts, account) if account.uri else _registered(talk, account, terms)
    talk.account = settled.uri
    if settled.contact != terms.contact:
        talk.post(settled.uri, {"contact": _contacts(terms)}, "the account's contact")
        settled = replace(settled, contact=terms.contact)
    settled = replace(settled, identities=talk.directory.identities)
    if settled != account:
        accounts.save(settled)
    return settled


def _registered(talk: Talk, account: Account, terms: Terms) -> Account:
    """By its key: the account that it has already, or a new one (RFC 8555 7.3.1)."""
    directory = talk.directory
    if directory.terms and not terms.agreed:
        advice = f"read {directory.terms} and set acme.agree_to_terms: true, or name another authority"
        raise Misconfigured("the authority's terms of service are not agreed to", "acme.agree_to_terms", advice)
    if directory.binding_required and terms.binding is None:
        what = "the authority opens accounts only for its customers (external account binding)"
        raise Misconfigured(what, "acme.eab", "set it to key id and HMAC key from the authority's web page")
    wish: dict[str, object] = {"contact": _contacts(terms)}
    if directory.terms:
        wish["termsOfServiceAgreed"] = True
    if terms.binding:
        key_id, hmac_key = terms.binding.key_id, terms.binding.hmac_key
        wish["externalAccountBinding"] = talk.key.binding(key_id, hmac_key, directory.new_account)
    try:
        reply = talk.post(directory.new_account, wish, "a new account", own_key=True)
    except Refusal as refusal:
        if terms.binding and refusal.problem.kind in ("unauthorized", "malformed", ""):
            raise ForUser(refusal.what, "acme.eab", "copy key id and HMAC key anew from the authority") from None
        raise
    uri = words.address(reply.headers.get("location"), "the account's address")
    old = reply.status == 200
    return replace(account, uri=uri, contact="" if old else terms.contact)


def _checked(talk: Talk, accounts: Accounts, account: Account) -> Account:
    """Whether the authority still knows it and lets it order."""
    talk.account = account.uri
    where = str(accounts.path(account.directory))
    advice = f"move {where} away to have a new one registered; CAA records and an external binding may name the old one"
    try:
        found = words.document(talk.post(account.uri, None, "the account").body)
    except Refusal as refusal:
        if refusal.problem.kind not in GONE:
            raise
        raise ForUser(f"the authority knows our account no more: {refusal.what}", account.uri, advice) from None
    status = found.get("status")
    if status != "valid":
        raise ForUser(f"our account there is {str(status)[:40]}, not valid", account.uri, advice)
    return account


def _contacts(terms: Terms) -> list[str]:
    return [f"mailto:{terms.contact}"] if terms.contact else []


def _account(data: dict[str, str]) -> Account:
    identities = tuple(map(str, data["identities"][: words.MOST_IDENTITIES]))
    return Account(str(data["directory"]), Secret(str(data["key"])), str(data["uri"]), str(data["contact"]), identities)
