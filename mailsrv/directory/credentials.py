"""What proves each account: its password or hash, its SCRAM keys, its app passwords - read once, when the server loads.

    proofs = credentials(settings)          account name -> Credentials

Fails by: `Misconfigured`, one line per account whose stored password cannot be read; never the password itself.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from dnsops.base.errors import Misconfigured
from mailsrv.directory import hashes
from mailsrv.directory.hashes import Stored
from mailsrv.directory.keys import BadHash, Keys
from mailsrv.directory.prep import spellings

if TYPE_CHECKING:
    from dnsops.base.secrets import Secret
    from dnsops.base.settings.mailserver import Account, AppPassword
    from dnsops.base.settings.model import Settings
    from mailsrv.directory.register import Entries


@dataclass(frozen=True)
class Proof:
    """One password that opens an account. name: of an app password, "" for the account's own. expires: its last day."""

    stored: Stored
    name: str = ""
    expires: date | None = None


@dataclass(frozen=True)
class Credentials:
    """All that opens one account. `plain`: the password itself where the configuration holds it."""

    proofs: tuple[Proof, ...]
    fingerprint: bytes = field(repr=False)  # changes when any of them does
    plain: bytes | None = field(default=None, repr=False)
    keys: tuple[Keys, ...] = ()
    marks: frozenset[bytes] = field(default=frozenset(), repr=False)  # one of each secret

    def kept_by(self, later: Credentials | None) -> bool:
        """Whether everything that opened the account still does: nobody who is inside has to leave."""
        return later is not None and self.marks <= later.marks

    def proof(self, password: bytes, today: date) -> Proof | None:
        """The proof that the password matches. All are tried, right or wrong: the time taken tells nothing. Slow."""
        tried = [
            proof
            for proof in self.proofs
            for spelling in spellings(password)
            if proof.stored.check(spelling) and (proof.expires is None or today <= proof.expires)
        ]
        return tried[0] if tried else None

    def scram(self, hash_name: str) -> Keys | None:
        """The stored keys for a SCRAM mechanism."""
        return next((keys for keys in self.keys if keys.hash == hash_name), None)

    def can_scram(self, hash_name: str) -> bool:
        """Whether the account can log in without ever showing its password."""
        return self.plain is not None or self.scram(hash_name) is not None


def credentials(settings: Settings) -> dict[str, Credentials]:
    """Of every account. Reads the secrets' files."""
    found: dict[str, Credentials] = {}
    errors: list[str] = []
    for n, account in enumerate(settings.accounts):
        try:
            found[account.name] = of_account(account)
        except BadHash as error:
            where = f"accounts[{n}] ({account.name})"
            errors.append(str(Misconfigured(str(error), where, "`mailsrv account hash` makes one")))
        except Misconfigured as error:
            errors.append(str(error))
    if errors:
        raise Misconfigured("\n".join(errors))
    return found


def of_entries(entries: Entries) -> dict[str, Credentials]:
    """Of every account of the register."""
    found = {}
    for account in entries.accounts:
        try:
            found[account.name] = of_account(account)
        except BadHash as error:
            raise Misconfigured(
                str(error), f"the account {account.name}, in the database", "`mailsrv account passwd`"
            ) from None
    return found


def of_account(account: Account) -> Credentials:
    """Of one account."""
    own = [_proof(account.password, account.password_hash)]
    apps = [_app(app) for app in account.app_passwords]
    extra = [hashes.read(account.scram_keys.reveal())] if account.scram_keys else []
    keys = tuple(stored.keys for stored in (own[0].stored, *extra) if stored.keys)
    plain = account.password.reveal().encode() if account.password else None
    secrets = _secrets(account)
    whole = hashlib.sha256(b"".join(len(text).to_bytes(4, "big") + text for text in secrets)).digest()
    marks = frozenset(hashlib.sha256(text).digest() for text in secrets if text)
    return Credentials((*own, *apps), whole, plain, keys, marks)


def _proof(password: Secret | None, password_hash: Secret | None) -> Proof:
    if password is not None:
        return Proof(hashes.plain(password.reveal().encode()))
    return Proof(hashes.read(password_hash.reveal() if password_hash else ""))


def _app(app: AppPassword) -> Proof:
    proof = _proof(app.password, app.password_hash)
    try:
        expires = date.fromisoformat(app.expires) if app.expires else None
    except ValueError:
        raise BadHash(f"the app password {app.name} expires on no day of the calendar: {app.expires}") from None
    return Proof(proof.stored, app.name, expires)


def _secrets(account: Account) -> list[bytes]:
    """Everything that opens the account; an app password with its last day."""
    secrets = [account.password, account.password_hash, account.scram_keys]
    texts = [secret.reveal() if secret else "" for secret in secrets]
    for app in account.app_passwords:
        own = [secret.reveal() for secret in (app.password, app.password_hash) if secret]
        texts.append("\0".join([app.name, *own, app.expires or ""]))
    return [text.encode() for text in texts]
