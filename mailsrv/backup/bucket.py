"""Backups in a bucket of an S3 store: the door to obstore (object_store, in Rust).

    PREFIX/pieces/ab/ab12...   PREFIX/lists/NAME   PREFIX/needs/NAME      as in a directory
    PREFIX/locks/HOST-RANDOM                                              who is at work

An object is there whole or not at all. To be alone each writes a lock of its own and then looks: whoever sees another's goes away, so
of two at least one does; this asks of the store only that it lists what was written (Amazon's does since 2020, as do others). A lock
is written anew every RENEW; one that is LEASE older than ours, by the store's own clock, is of a backup that was killed. On the host
itself the kernel tells that at once (flock(2) on STATE/backup/lock). Who could not renew for half of LEASE writes no list and removes nothing.
Limits: PARALLEL requests at once and twice as many pieces in memory, RETRY for a request that failed (obstore repeats it after a 5xx, a
time-out and a broken connection). Fails by: `ForUser` for refused credentials, a bucket that is not there and obstore that is not;
`Later` for a store that does not answer, and when another backup is being taken.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from dnsops.base import files
from dnsops.base.errors import Deliberate, ForUser, Later
from dnsops.base.secrets import Secret
from mailsrv.backup.place import LISTS, NEEDS, PIECES, ROOM

PARALLEL = 8
AT_ONCE = 1000  # objects that one request removes (S3 DeleteObjects)
LEASE, RENEW = timedelta(minutes=5), timedelta(seconds=60)
REQUEST, CONNECT = timedelta(seconds=60), timedelta(seconds=5)
RETRY = {
    "max_retries": 5,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=10), "base": 2},
}
LOCKS = "locks"
OURS = {PIECES, LISTS, NEEDS, LOCKS}
BOOT = Path("/proc/sys/kernel/random/boot_id")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_REFUSED = re.compile(r"status code: 40[13]\b|PermissionDenied|Unauthenticated")


@dataclass(frozen=True)
class Account:
    """How a store is reached. endpoint: "" for Amazon's own."""

    access_key: Secret
    secret_key: Secret
    endpoint: str = ""
    region: str = "us-east-1"
    token: Secret | None = None


class Bucket:
    """A place in a bucket. room: a directory of our own.  lock: the file that processes of this host share, if they do."""

    def __init__(self, address: str, account: Account, room: Path | None = None, lock: Path | None = None) -> None:
        self.where, self.room, self.lock = address, room or Path(tempfile.gettempdir()), lock
        self._store = _opened(address, account)
        self._obstore = _obstore()
        self._under_way: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(PARALLEL, "backup")
        self._renewed = 0.0

    def prepare(self) -> None:
        with self._words():
            found = self._obstore.list_with_delimiter(self._store)
        there = {str(one).rstrip("/").rpartition("/")[2] for one in found["common_prefixes"]}
        if (there - OURS or found["objects"]) and LISTS not in there:
            raise ForUser("there is something else", self.where, "name an empty prefix: s3://BUCKET/PREFIX")

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._on_this_host() as host:
            mine, over = f"{host}-{secrets.token_hex(8)}", threading.Event()
            self._renew(mine)
            renewing = threading.Thread(target=self._keep, args=(mine, over), daemon=True)
            try:
                self._first(mine, host)
                renewing.start()
                yield
            finally:
                self._end()
                over.set()
                if renewing.ident:
                    renewing.join()
                with suppress(Deliberate), self._words():
                    self._obstore.delete(self._store, [f"{LOCKS}/{mine}"])

    def reading(self) -> AbstractContextManager[None]:
        return nullcontext()

    def sweep(self) -> None:
        """Nothing: an object is whole or not there."""

    def names(self, kind: str) -> list[str]:
        return sorted(name for name, _ in self._list(kind))

    def sizes(self) -> dict[str, int]:
        return {name: int(meta["size"]) for name, meta in self._list(PIECES)}

    def read(self, kind: str, name: str, limit: int) -> bytes:
        return self._get(_path(kind, name), limit)

    def fetch(self, pieces: Iterable[str]) -> Iterator[bytes | None]:
        rest = iter(pieces)
        coming = deque(self._pool.submit(self._piece, piece) for piece in islice(rest, 2 * PARALLEL))
        while coming:
            data = coming.popleft().result()
            coming.extend(self._pool.submit(self._piece, piece) for piece in islice(rest, 1))
            yield data

    def put(self, piece: str, data: bytes) -> None:
        if len(self._under_way) >= 2 * PARALLEL:
            self._under_way.popleft().result()
        self._under_way.append(self._pool.submit(self._write, _path(PIECES, piece), data))

    def settle(self) -> None:
        while self._under_way:
            self._under_way.popleft().result()

    def save(self, kind: str, name: str, data: bytes) -> None:
        self._still()
        self._write(_path(kind, name), data)

    def drop(self, kind: str, names: Iterable[str]) -> None:
        rest = iter(names)
        while some := [_path(kind, name) for name in islice(rest, AT_ONCE)]:
            self._still()
            with self._words():
                self._obstore.delete(self._store, some)

    # being alone

    @contextmanager
    def _on_this_host(self) -> Iterator[str]:
        """A name that nobody has but who holds the lock file of this host, in this run of its kernel."""
        if self.lock is None:
            yield secrets.token_hex(8)
            return
        with files.lock(self.lock):
            files.hand_over(self.lock.parent, self.lock)
            status = self.lock.stat()
            whole = f"{BOOT.read_text().strip()} {status.st_dev} {status.st_ino}"
            yield hashlib.sha256(whole.encode()).hexdigest()[:16]

    def _renew(self, mine: str) -> None:
        began = _now()
        self._write(f"{LOCKS}/{mine}", b"")
        self._renewed = began

    def _keep(self, mine: str, over: threading.Event) -> None:
        while not over.wait(RENEW.total_seconds()):
            with suppress(Deliberate):
                self._renew(mine)

    def _first(self, mine: str, host: str) -> None:
        """Nobody else holds a lock; those of the dead go."""
        found: dict[str, datetime] = {name: meta["last_modified"] for name, meta in self._list(LOCKS)}
        ours = found.pop(mine, None)
        if ours is None:
            raise ForUser("the store does not list what was just written", self.where, "use one that does")
        dead = {name for name, at in found.items() if name.startswith(f"{host}-") or ours - at > LEASE}
        if found.keys() - dead:
            raise Later(f"{self.where}: another backup is being taken", LEASE)
        if dead:
            with self._words():
                self._obstore.delete(self._store, [f"{LOCKS}/{name}" for name in dead])

    def _still(self) -> None:
        if _now() - self._renewed > LEASE.total_seconds() / 2:
            raise Later(f"{self.where}: our lock could not be renewed, and another backup may be taken by now", LEASE)

    def _end(self) -> None:
        """What was under way ends, whatever becomes of it."""
        for future in self._under_way:
            future.cancel()
        for future in self._under_way:
            with suppress(Deliberate):
                if not future.cancelled():
                    future.result()
        self._under_way.clear()

    # requests

    def _list(self, kind: str) -> Iterator[tuple[str, Any]]:
        with self._words():
            for chunk in self._obstore.list(self._store, prefix=kind):
                yield from ((str(meta["path"]).rpartition("/")[2], meta) for meta in chunk)

    def _piece(self, piece: str) -> bytes | None:
        try:
            return self._get(_path(PIECES, piece), ROOM)
        except FileNotFoundError:
            return None
        except ValueError:
            return b""

    def _get(self, path: str, limit: int) -> bytes:
        with self._words(reading=True):
            answer = self._obstore.get(self._store, path)
            if answer.meta["size"] > limit:
                raise ValueError(f"{path} is larger than {limit} bytes")
            return bytes(answer.bytes())

    def _write(self, path: str, data: bytes) -> None:
        with self._words():
            self._obstore.put(self._store, path, data, use_multipart=False)

    @contextmanager
    def _words(self, reading: bool = False) -> Iterator[None]:
        """The store's refusals and silences in words; never its whole answer, which repeats what it was asked."""
        try:
            yield
        except (self._obstore.exceptions.BaseError, FileNotFoundError) as error:
            said = str(error)
            code = found[1] if (found := _CODE.search(said)) else ""
            if reading and isinstance(error, FileNotFoundError) and code != "NoSuchBucket":
                raise FileNotFoundError(self.where) from None
            raise _refusal(self.where, code, said) from None


def _refusal(where: str, code: str, said: str) -> Deliberate:
    if code == "NoSuchBucket":
        return ForUser("there is no such bucket", where, "make it, or correct backup.place")
    if _REFUSED.search(said):
        advice = "correct backup.access_key and backup.secret_key (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"
        return ForUser(f"the S3 store refuses these credentials ({code or 'no reason given'})", where, advice)
    status = found[1] if (found := re.search(r"status code: (\d{3})", said)) else ""
    why = code or (f"status {status}" if status else "no connection")
    return Later(f"{where}: the S3 store does not do what it is asked ({why})")


def _path(kind: str, name: str) -> str:
    return f"{kind}/{name[:2]}/{name}" if kind == PIECES else f"{kind}/{name}"


def _opened(address: str, account: Account) -> Any:
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    from_obstore: Callable[..., Any] = _obstore().store.S3Store
    return from_obstore(
        bucket,
        prefix=prefix or None,
        region=account.region,
        access_key_id=account.access_key.reveal(),
        secret_access_key=account.secret_key.reveal(),
        **({"endpoint": account.endpoint} if account.endpoint else {}),
        **({"session_token": account.token.reveal()} if account.token else {}),
        client_options={
            "allow_http": account.endpoint.startswith("http://"),
            "timeout": REQUEST,
            "connect_timeout": CONNECT,
        },
        retry_config=RETRY,
    )


def _obstore() -> Any:
    try:
        import obstore
        import obstore.exceptions
        import obstore.store
    except ImportError:
        raise ForUser("backups in an S3 store need obstore", "", "pip install 'mailsrv[s3]'") from None
    return obstore


def _now() -> float:
    """Seconds that go on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
