"""DKIM keys on disk, by domain: a private key a selector, and the ring that says what each generation is for.

    DIR/example.org/ring.json                        which generation signs, which comes, which goes
                    202611r-k7x2q.rsa.pem            0600, written once
                    202611e-k7x2q.ed25519.pem
    DIR/retired/example.org/202611r-k7x2q.pem        keys given to the world after their records were gone, if wished

Standards: RFC 6376 3.3.3 and RFC 8301 3.2 (RSA of 2048 bits), RFC 8463 (Ed25519), RFC 7468 (PEM).
The ring is written after its keys and before they go, in one rename: what it names is there, and one generation signs.
Fails by: `ForUser`, with nothing changed; `Later` when another process is at it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from dnsops.base import files, versioned
from dnsops.base.errors import ForUser
from dnsops.dkim import ring as form
from dnsops.dkim.public import Private, record_of
from dnsops.dkim.ring import Generation, Ring, Role, Selector
from dnsops.records import names

LARGEST_KEY = 65536
BITS = 2048
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that a person would take for another
NOTE = """This private key signed mail of {domain} by DKIM, with the selector {selector}, until {until:%Y-%m-%d}.
Its record has left the DNS, and the key is given to everybody: from now on its signatures prove nothing, for anybody.

"""

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Signer:
    """One key that may sign now. pem: PKCS 8; key: the same, ready for use."""

    domain: str
    selector: str
    algorithm: str
    pem: bytes = field(repr=False)

    @cached_property
    def key(self) -> Private:
        key = load_pem_private_key(self.pem, None)
        if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
            raise ForUser("neither RSA nor Ed25519: no key for DKIM", f"{self.selector} of {self.domain}")
        return key


@dataclass(frozen=True)
class Keys:
    """All domains' keys under one directory."""

    directory: Path

    def ring(self, domain: str) -> Ring:
        """The domain's generations; none before the first. A ring that cannot be read is for a person, never made anew."""
        path = self._home(domain) / "ring.json"
        try:
            found = form.read(files.read_bounded(path, versioned.LARGEST))
        except FileNotFoundError:
            return Ring(names.canonical(domain))
        except OSError as error:
            raise _unreadable(path, error) from None
        except ValueError as error:
            advice = "restore it from a backup; mail goes on being signed with the keys that the server holds"
            raise ForUser(f"is damaged ({error})", str(path), advice) from None
        if found.domain != names.canonical(domain):
            raise ForUser(f"is the ring of {found.domain}", str(path), "restore the domain's own")
        return found

    def signers(self, domain: str) -> tuple[Signer, ...]:
        """What may sign now; nothing while the first keys are on their way into the DNS."""
        current = self.ring(domain).current
        return tuple(self._signer(domain, selector) for selector in current.selectors) if current else ()

    def stamp(self, domain: str) -> Stamp | None:
        """Changes when the ring does; None when it cannot be looked at."""
        try:
            found = (self._home(domain) / "ring.json").stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def make_next(self, domain: str, algorithms: Sequence[str], now: datetime) -> Ring:
        """The ring with a next generation: the one that is there already, or new keys."""
        with self._writing(domain) as home:
            ring = self.ring(domain)
            if ring.next:
                return ring
            self._sweep(home, ring)
            return self._written(home, ring.added(self._made(home, algorithms, now)))

    def adopt(self, domain: str, keys: Sequence[tuple[str, bytes]], now: datetime) -> Ring:
        """Keys that signed for the domain elsewhere go on signing here, by the selectors that the world knows: the first it has.

        keys: selector and PEM. One key of each algorithm at the most.
        """
        with self._writing(domain) as home:
            ring = self.ring(domain)
            if ring.generations:
                raise ForUser("has keys of its own already", str(home), "they stay; let its other selectors run out")
            selectors = tuple(_adopted(home, name, pem) for name, pem in keys)
            if len({selector.algorithm for selector in selectors}) < len(selectors):
                raise ForUser("two keys of one algorithm cannot sign at once", str(home), "take the one that signs")
            for selector, (_, pem) in zip(selectors, keys, strict=True):
                files.replace(_key_path(home, selector), _pem(_loaded(pem, selector.name)))
            name = f"{now:%Y%m}-adopted"
            return self._written(home, ring.added(Generation(name, Role.CURRENT, now, selectors)))

    def promote(self, domain: str, now: datetime) -> Ring:
        """The next generation signs from now on."""
        with self._writing(domain) as home:
            ring = self.ring(domain)
            if ring.next is None:
                raise ForUser("there are no next keys to switch to", str(home))
            for selector in ring.next.selectors:
                _ = self._signer(domain, selector).key  # what cannot be read is not switched to
            return self._written(home, ring.promoted(now))

    def leaked(self, domain: str) -> Ring:
        """Somebody else has the keys that sign, or have signed."""
        with self._writing(domain) as home:
            return self._written(home, self.ring(domain).leaked())

    def gone(self, domain: str, name: str, now: datetime) -> Ring:
        """The records of a retired generation are gone."""
        with self._writing(domain) as home:
            return self._written(home, self.ring(domain).gone(name, now))

    def forget(self, domain: str, name: str, publish: bool) -> Ring:
        """Remove a generation whose records are gone, and its keys; publish: after giving them to the world."""
        with self._writing(domain) as home:
            ring = self.ring(domain)
            over = [one for one in ring.of(Role.GONE) if one.name == name]
            for generation in over if publish else ():
                self._give_away(home, generation)
            ring = self._written(home, ring.without(name) if over else ring)
            self._sweep(home, ring)
            return ring

    def tidy(self, domain: str) -> None:
        """Remove keys that no ring names: a run that was killed may have left them."""
        with self._writing(domain) as home:
            self._sweep(home, self.ring(domain))

    def _home(self, domain: str) -> Path:
        return self.directory / names.host(domain)

    def _signer(self, domain: str, selector: Selector) -> Signer:
        path = _key_path(self._home(domain), selector)
        try:
            pem = files.read_bounded(path, LARGEST_KEY)
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
        return Signer(names.canonical(domain), selector.name, selector.algorithm, pem)

    @contextmanager
    def _writing(self, domain: str) -> Iterator[Path]:
        """One writer per domain at a time; what the disk refuses becomes a sentence."""
        home = self._home(domain)
        try:
            files.private_directory(home)
            files.sync_directory(self.directory)
            with files.lock(home / ".lock"):
                yield home
                files.hand_over(self.directory.parent, self.directory, home, *home.iterdir())
        except OSError as error:
            advice = "run as the user who owns it, with disk space left"
            raise ForUser(f"cannot be written ({error.strerror})", str(home), advice) from None

    def _made(self, home: Path, algorithms: Iterable[str], now: datetime) -> Generation:
        """New keys, each in its file, before any ring names them."""
        name = f"{now:%Y%m}-" + "".join(secrets.choice(LETTERS) for _ in range(6))
        month, _, odd = name.partition("-")
        selectors = []
        for algorithm in dict.fromkeys(algorithms):
            key = _new(algorithm)
            selector = Selector(f"{month}{algorithm[0]}-{odd}", algorithm, record_of(key.public_key()))
            files.replace(_key_path(home, selector), _pem(key))
            selectors.append(selector)
        return Generation(name, Role.NEXT, now, tuple(selectors))

    def _written(self, home: Path, ring: Ring) -> Ring:
        path, data = home / "ring.json", form.write(ring)
        if not path.exists() or path.read_bytes() != data:
            files.replace(path, data)
        return ring

    def _give_away(self, home: Path, generation: Generation) -> None:
        """The keys where everybody may read them, with a word about what they are."""
        folder = self.directory / "retired" / home.name
        folder.mkdir(parents=True, exist_ok=True)
        for selector in generation.selectors:
            path = _key_path(home, selector)
            if path.exists():  # else a run that was killed here did it already
                note = NOTE.format(domain=home.name, selector=selector.name, until=generation.since)
                text = note.encode() + files.read_bounded(path, LARGEST_KEY)
                files.replace(folder / f"{selector.name}.pem", text, 0o644)
        files.hand_over(self.directory.parent, folder.parent, folder, *folder.iterdir())

    def _sweep(self, home: Path, ring: Ring) -> None:
        """Keys that no ring names, and what writers that were killed left. The lock is ours: nobody is using them."""
        named = {_key_path(home, selector).name for selector in ring.selectors}
        for entry in home.iterdir():
            temporary = entry.name.startswith(".") and entry.name != ".lock"
            if temporary or (entry.suffix == ".pem" and entry.name not in named):
                entry.unlink()


def _key_path(home: Path, selector: Selector) -> Path:
    return home / f"{selector.name}.{selector.algorithm}.pem"


def _adopted(home: Path, name: str, pem: bytes) -> Selector:
    if not form.fit(name):
        raise ForUser(f"no selector is called {name[:80]!r} here", str(home), "let it run out beside a new one")
    key = _loaded(pem, name)
    algorithm = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ed25519"
    return Selector(name, algorithm, record_of(key.public_key()))


def _loaded(pem: bytes, name: str) -> Private:
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ForUser("no private key in PEM without a password", f"the key of {name}") from None
    if not isinstance(key, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise ForUser("neither RSA nor Ed25519: no key for DKIM", f"the key of {name}")
    return key


def _new(algorithm: str) -> Private:
    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=BITS)


def _pem(key: Private) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _unreadable(path: Path, error: OSError | ValueError) -> ForUser:
    reason = error.strerror if isinstance(error, OSError) else "too large"
    return ForUser(f"cannot be read ({reason})", str(path), "run as the user who owns it")
