"""Is this password this account's: checked off the event loop, throttled, remembered for a moment, and blind to who exists.

    logins = Logins(book, credentials(settings))
    verdict = await logins.check("user1", b"password", peer="192.0.2.1")        Granted(account, by) or Denied()

An unknown name costs the work of some account, always the same one, and is counted and delayed like any other.
Limits: passwords of 1 KiB, two hashes at a time, 64 waiting, 6 s of delay within a call. Fails by: `Later` when too many
wait or a name must wait longer; that is an answer to any password, right or wrong (SMTP 454 4.7.0).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from dnsops.base.errors import Later
from mailsrv.directory import slow
from mailsrv.directory.accounts import Account
from mailsrv.directory.address import folded
from mailsrv.directory.book import Book
from mailsrv.directory.credentials import Credentials, Proof
from mailsrv.directory.hashes import read
from mailsrv.directory.keys import SALT, USUAL, Keys
from mailsrv.directory.prep import prepared, spellings
from mailsrv.directory.throttle import Lately, Throttle
from mailsrv.directory.verified import Verified

T = TypeVar("T")
WORKERS, MOST_WAITING = 2, 64
LONGEST_DELAY = 6.0  # seconds that one call sleeps; whoever must wait longer is told so
MOST_KEYS = 4096
BUSY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Granted:
    """It is. `by`: the app password's name, "" for the account's own."""

    account: Account
    by: str = ""


@dataclass(frozen=True, slots=True)
class Denied:
    """It is not, or there is no such account, or it is closed: nobody is told which."""


Verdict = Granted | Denied


class Hashing:
    """A few threads for slow work, and a short queue before them."""

    def __init__(self, workers: int = WORKERS, waiting: int = MOST_WAITING) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="hashing")
        self._most, self._waiting = workers + waiting, 0

    async def run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._most:
            raise Later("too many people log in at this moment", BUSY)
        self._waiting += 1
        done = asyncio.get_running_loop().run_in_executor(self._pool, work)
        done.add_done_callback(self._finished)  # also when nobody waits for it any more
        return await asyncio.shield(done)

    def _finished(self, _: asyncio.Future[T]) -> None:
        self._waiting -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


class Logins:
    """The one place where passwords are checked. secret: of this installation, so that false salts stay after a restart.

    upgraded: told an account's name and a better hash, once the password proved right against an older form.
    """

    def __init__(
        self,
        book: Book,
        proofs: Mapping[str, Credentials],
        *,
        secret: bytes = b"",
        upgraded: Callable[[str, str], None] | None = None,
        hashing: Hashing | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._upgraded, self._hashing = upgraded, hashing or Hashing()
        self._clock, self._sleep, self._today = clock, sleep, today
        self.throttle, self.verified = Throttle(), Verified(secrets.token_bytes(32))
        self._flights: dict[bytes, asyncio.Task[Verdict]] = {}
        self._keys: Lately[tuple[str, str, bytes], Keys] = Lately(MOST_KEYS)
        self.use(book, proofs)

    def use(self, book: Book, proofs: Mapping[str, Credentials]) -> None:
        """Another configuration from now on; what was verified under changed passwords is void."""
        self.book, self._proofs = book, {folded(name): proof for name, proof in proofs.items()}
        self._names = sorted(self._proofs)

    def forget(self, account: str) -> None:
        """That account's password was changed elsewhere."""
        self.verified.forget(account)

    def close(self) -> None:
        self._hashing.close()

    async def check(self, name: str, password: bytes, peer: str) -> Verdict:
        """Whether the password is that name's."""
        if not spellings(password):
            return Denied()
        account, proofs = self._who(name)
        stored = bytes([account is not None]) + proofs.fingerprint
        mark = self.verified.mark(_counted(name), stored, self._today().isoformat(), password)
        if self.verified.wrong(mark, self._clock()):
            return Denied()
        flight = self._flights.get(mark)
        if flight is None:
            await self._patience(name, peer)
            by = self.verified.right(account.name, mark, self._clock()) if account else None
            if account and by is not None:
                return Granted(account, by)
            flight = self._flights.get(mark) or self._start(mark, name, account, proofs, password, peer)
        return await asyncio.shield(flight)

    def _start(
        self, mark: bytes, name: str, account: Account | None, proofs: Credentials, password: bytes, peer: str
    ) -> asyncio.Task[Verdict]:
        """One attempt, for all who bring the same password at the same time."""
        self.throttle.begin(peer, _counted(name), self._clock())
        flight = asyncio.ensure_future(self._attempt(mark, name, account, proofs, password, peer))
        self._flights[mark] = flight
        flight.add_done_callback(lambda done: self._landed(mark, done))
        return flight

    def _landed(self, mark: bytes, done: asyncio.Task[Verdict]) -> None:
        self._flights.pop(mark, None)
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may be left

    async def _attempt(
        self, mark: bytes, name: str, account: Account | None, proofs: Credentials, password: bytes, peer: str
    ) -> Verdict:
        today = self._today()
        try:
            proof = await self._hashing.run(lambda: proofs.proof(password, today))
        except Later:
            self.throttle.withdrawn(peer, _counted(name), self._clock())
            raise
        now = self._clock()
        if proof is None or account is None:
            self.verified.note(None, mark, now)
            return Denied()
        self.verified.note(account.name, mark, now, proof.name)
        self.throttle.succeeded(peer, _counted(name), now)
        await self._upgrade(account, proof, password)
        return Granted(account, proof.name)

    async def _upgrade(self, account: Account, proof: Proof, password: bytes) -> None:
        """Once a password is known to be right, the better form of it can be made."""
        if self._upgraded is None or proof.stored.good or proof.name:
            return
        try:
            better = await self._hashing.run(lambda: slow.argon2id(password))
        except Later:
            return  # at the next login, then
        self._upgraded(account.name, better)

    async def _patience(self, name: str, peer: str) -> None:
        """Wait out a short delay; a long one is an answer."""
        slept = 0.0
        while (wait := self.throttle.wait(peer, _counted(name), self._clock())) > 0:
            if slept + wait > LONGEST_DELAY:
                raise Later("too many failed logins", timedelta(seconds=int(wait) + 1))
            slept += wait
            await self._sleep(wait)

    def _who(self, name: str) -> tuple[Account | None, Credentials]:
        """The account and its proofs; for a name that nobody has, the proofs of the account that lends its work."""
        account = self.book.login(name)
        proofs = self._proofs.get(folded(account.name)) if account else None
        return (account, proofs) if account and proofs else (None, self._lent(name))

    def _lent(self, name: str) -> Credentials:
        if not self._names:
            return _nobody()
        chosen = int.from_bytes(self._hidden("lent", name)[:8], "big") % len(self._names)
        return self._proofs[self._names[chosen]]

    def _hidden(self, purpose: str, name: str) -> bytes:
        """32 octets for a name, which nobody outside can foresee and which stay the same."""
        return hmac.digest(self._secret, f"{purpose}\0{_counted(name)}".encode(), "sha256")

    # SCRAM: the password is never seen

    def can_scram(self, hash_name: str = "sha256") -> bool:
        """Whether every account can: a mechanism on offer that fails for some would keep their clients out."""
        return bool(self._proofs) and all(proofs.can_scram(hash_name) for proofs in self._proofs.values())

    async def keys(self, name: str, hash_name: str, peer: str) -> Keys:
        """The SCRAM keys of a name, true or made up; this counts as the beginning of an attempt."""
        await self._patience(name, peer)
        account, proofs = self._who(name)
        self.throttle.begin(peer, _counted(name), self._clock())
        stored = proofs.scram(hash_name)
        if stored and account:
            return stored
        if stored:
            return self._made_up(name, stored)
        return await self._derived(name, hash_name, proofs, peer, account is not None)

    def proved(self, name: str, peer: str) -> Verdict:
        """The client's proof was right."""
        account = self.book.login(name)
        if account is None:
            return Denied()
        self.throttle.succeeded(peer, _counted(name), self._clock())
        return Granted(account)

    def _made_up(self, name: str, like: Keys) -> Keys:
        """Keys of no password, which look like the lender's."""
        noise = hashlib.shake_256(self._hidden("scram", name)).digest(len(like.salt) + 2 * len(like.stored))
        salt, rest = noise[: len(like.salt)], noise[len(like.salt) :]
        return Keys(like.hash, like.iterations, salt, rest[: len(like.stored)], rest[len(like.stored) :])

    async def _derived(self, name: str, hash_name: str, proofs: Credentials, peer: str, known: bool) -> Keys:
        """Keys made of the password where the configuration holds it, else of nothing: as much work."""
        salt = self._hidden("salt", name)[:SALT]
        plain = proofs.plain.decode(errors="replace") if proofs.plain and known else ""
        password = (prepared(plain) or plain).encode() or self._hidden("nobody", name)
        place = (_counted(name), hash_name, proofs.fingerprint)
        if place not in self._keys:
            try:
                made = await self._hashing.run(lambda: Keys.derive(hash_name, password, salt, USUAL))
            except Later:
                self.throttle.withdrawn(peer, _counted(name), self._clock())
                raise
            self._keys[place] = made
            return made
        return self._keys[place]


def _counted(name: str) -> str:
    """A name as it is counted: as given, folded, cut."""
    return folded(name[:256].encode(errors="replace").decode())


def _nobody() -> Credentials:
    """The work for a directory without accounts: a hash that no password has, as costly as ours."""
    line = f"$argon2id$v=19$m={slow.MEMORY},t={slow.PASSES},p={slow.LANES}$bm9ib2R5bm9ib2R5bm9ib2R5$" + "A" * 43
    return Credentials((Proof(read(line)),), b"nobody")
