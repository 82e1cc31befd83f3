"""Keys and certificates of our own hosts on disk: the current pair, and the next key before anyone sees it.

    DIR/mx1.example.org/0001/{key.pem, chain.pem}   <- current     served
                        0002/{key.pem}              <- next        its TLSA record is published, its certificate comes

Standards: RFC 7671 8.1 (publish before use), RFC 2986 (requests). Directories 0700, files 0600.
A pair is never torn: a key is written once and never again, a chain stands beside it only when it fits, and the next pair
becomes the current one by one rename. Readers who care resolve the link once (`current` does).
Fails by: `ForUser`, with nothing changed; `Later` when another process is at it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from dnsops.base import clock, files
from dnsops.base.errors import ForUser
from dnsops.certs.chain import LARGEST_PEM, Chain, disorder, flaws, from_pem, key_spki
from dnsops.certs.newkey import KeyType, new_key
from dnsops.records import names

LARGEST_KEY = 65536
LINKS = ("current", "next")
_NUMBER = re.compile(r"\d{4,9}")


def default_directory() -> Path:
    """Where our generations are unless someone says otherwise: STATE/certs."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]  # systemd.exec(5): a list when the unit names several
    if given:
        return Path(given) / "certs"
    if os.geteuid() == 0:
        return Path("/var/lib/mailsrv/certs")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "mailsrv/certs"


@dataclass(frozen=True)
class Generation:
    """One key of one host and, once it is there, its certificate chain."""

    host: str
    path: Path

    @property
    def key_path(self) -> Path:
        return self.path / "key.pem"

    @property
    def chain_path(self) -> Path:
        return self.path / "chain.pem"

    @cached_property
    def spki(self) -> bytes:
        """The key's public half, DER: what the TLSA record hashes."""
        return key_spki(self._key(), str(self.key_path))

    @cached_property
    def chain(self) -> Chain | None:
        """The key's certificate chain; None while it has none."""
        try:
            return from_pem(files.read_bounded(self.chain_path, LARGEST_PEM), str(self.chain_path))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise _unreadable(self.chain_path, error) from None

    def csr(self, others: Iterable[str] = ()) -> bytes:
        """A request (PEM) for a certificate with this key, for the host and other names."""
        wanted = dict.fromkeys([self.host, *(names.canonical(name) for name in others)])
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in wanted])
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        key = load_pem_private_key(self._key(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise ForUser("neither an ECDSA nor an RSA key: none of ours", str(self.key_path))
        return request.add_extension(alternatives, critical=True).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _key(self) -> bytes:
        try:
            return files.read_bounded(self.key_path, LARGEST_KEY)
        except (OSError, ValueError) as error:
            raise _unreadable(self.key_path, error) from None


@dataclass(frozen=True)
class Generations:
    """All hosts' generations under one directory. `now` tells the time that certificates are judged by.

    key_type: of keys that are made from now on; one that is announced already stays as it is.
    """

    directory: Path
    now: Callable[[], datetime] = lambda: clock.now().wall
    key_type: KeyType = "p256"

    def hosts(self) -> tuple[str, ...]:
        """The hosts that have a directory here."""
        try:
            homes = list(self.directory.iterdir())
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise _unreadable(self.directory, error) from None
        return tuple(sorted(home.name for home in homes if any((home / link).is_symlink() for link in LINKS)))

    def current(self, host: str) -> Generation | None:
        """The pair that is served; None before the first."""
        return self._linked(host, "current")

    def next(self, host: str) -> Generation | None:
        """The key that comes after it; None when there is none."""
        return self._linked(host, "next")

    def make_next(self, host: str) -> Generation:
        """The next key: the one that is there already, or a new one without a certificate.

        Never a new one in place of an announced one: its record is in DNS and senders hold it.
        """
        home = self._home(host)
        with self._writing(home):
            return self.next(host) or self._new(home)

    def csr(self, host: str, others: Iterable[str] = ()) -> bytes:
        """A request (PEM) for the next key's certificate."""
        upcoming = self.next(host)
        if upcoming is None:
            raise ForUser("there is no next key", str(self._home(host)), "make one first")
        return upcoming.csr(others)

    def install_chain(self, host: str, pem: bytes, others: Iterable[str] = ()) -> Generation:
        """Put a chain beside its key, the next one or the current one; refuse one that is not fit to be served.

        It must hold a key of ours, be for the host and the other names, valid now, and in order up to its last issuer.
        """
        home = self._home(host)
        chain = from_pem(pem, f"the certificate chain for {host}")
        with self._writing(home):
            generation = self._owner(host, chain)
            self._check(generation, chain, others)
            files.replace(generation.chain_path, _written(chain))
        return Generation(generation.host, generation.path)

    def promote(self, host: str) -> Generation:
        """The next pair becomes the current one, by one rename. Refused while it is not fit to be served."""
        home = self._home(host)
        with self._writing(home):
            upcoming = self.next(host)
            if upcoming is None:
                raise ForUser("there is no next key to switch to", str(home), "make one, publish it, certify it")
            if upcoming.chain is None:
                raise ForUser("the next key has no certificate yet", str(upcoming.path), "have one issued for it first")
            self._check(upcoming, upcoming.chain)
            (home / "next").replace(home / "current")
            files.sync_directory(home)
            return upcoming

    def prune_old(self, host: str, keep: int = 1) -> tuple[Path, ...]:
        """Remove what a crash left, and generations before the current one but for the newest `keep`."""
        home = self._home(host)
        with self._writing(home):
            linked = [g.path.name for g in (self.current(host), self.next(host)) if g]
            gone = [home / name for name in _idle(_numbers(home), linked, keep)]
            for path in gone:
                shutil.rmtree(path)
            _sweep(home)
        return tuple(gone)

    def _home(self, host: str) -> Path:
        return self.directory / names.host(host)

    def _linked(self, host: str, word: str) -> Generation | None:
        home = self._home(host)
        link = home / word
        try:
            target = os.readlink(link)  # noqa: PTH115 - the text itself
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(link, error) from None
        if not _NUMBER.fullmatch(target) or not (home / target).is_dir():
            raise ForUser(f"points to {target!r}, where no generation is", str(link), "restore it, or remove the link")
        return Generation(home.name, home / target)

    @contextmanager
    def _writing(self, home: Path) -> Iterator[None]:
        """One writer per host at a time; what the disk refuses becomes a sentence."""
        try:
            files.private_directory(files.private_directory(self.directory) / home.name)
            files.sync_directory(self.directory)
            with files.lock(home / ".lock"):
                yield
                files.hand_over(self.directory.parent, self.directory, home, *home.rglob("*"))
        except OSError as error:
            raise _unwritable(home, error) from None

    def _new(self, home: Path) -> Generation:
        """A key in a directory of its own, and only then the link to it."""
        last = _numbers(home)[-1:] or ["0"]
        path = home / f"{int(last[0]) + 1:04d}"
        path.mkdir(mode=0o700)
        generation = Generation(home.name, path)
        files.replace(generation.key_path, new_key(self.key_type))
        files.point(home / "next", path.name)
        return generation

    def _owner(self, host: str, chain: Chain) -> Generation:
        """The generation whose key a chain was issued for."""
        for generation in (self.next(host), self.current(host)):
            if generation and generation.spki == chain.spki:
                return generation
        raise ForUser(
            "key mismatch: it was issued for neither the next nor the current key", chain.where, "order it with our CSR"
        )

    def _check(self, generation: Generation, chain: Chain, others: Iterable[str] = ()) -> None:
        """Refuse what must not be served (P-21: complete, matching, in order, all names, valid now)."""
        found = [] if generation.spki == chain.spki else ["key mismatch: it was not issued for this key"]
        found += flaws(chain, generation.host, self.now())
        missing = [name for name in others if not chain.covers(names.canonical(name))]
        found += [f"the certificate is not for {name}" for name in missing]
        found += disorder(chain)
        if found:
            raise ForUser("; ".join(found), chain.where, "the pair in use stays; have a new certificate issued")


def _written(chain: Chain) -> bytes:
    """The certificates alone: a private key that came along in the text stays out of chain.pem."""
    return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in chain.certificates)


def _numbers(home: Path) -> list[str]:
    """The generations of a host, oldest first."""
    return sorted((entry.name for entry in home.iterdir() if _NUMBER.fullmatch(entry.name)), key=int)


def _idle(numbers: list[str], linked: list[str], keep: int) -> list[str]:
    """Generations to remove: predecessors but for the newest `keep`, and those that a crash left without a link."""
    first = int(linked[0]) if linked else 0
    older = [name for name in numbers if int(name) < first and name not in linked]
    orphans = [name for name in numbers if int(name) > first and name not in linked]
    return (older[:-keep] if keep else older) + orphans


def _sweep(home: Path) -> None:
    """Temporary files of writers that were killed. The lock is ours, so nobody is using them."""
    for folder in (home, *(home / name for name in _numbers(home))):
        for entry in folder.iterdir():
            if entry.name.startswith(".") and entry.name != ".lock":
                entry.unlink()


def _unreadable(path: Path, error: OSError | ValueError) -> ForUser:
    reason = error.strerror if isinstance(error, OSError) else "too large"
    return ForUser(f"cannot be read ({reason})", str(path), "run as the user who owns it")


def _unwritable(path: Path, error: OSError) -> ForUser:
    return ForUser(
        f"cannot be written ({error.strerror})", str(path), "run as the user who owns it, with disk space left"
    )
