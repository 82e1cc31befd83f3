"""Writing the configuration, its secrets and the first keys: each file whole and private, none over one that is there.

    DIR/mailsrv.yml          0640, the server's group may read it
    DIR/dns-token            0600, when a token was typed or came from the environment
    DIR/first-password       0600, until somebody has read it
    STATE/certs, STATE/dkim  the next TLS key and the next DKIM keys, to be announced before they are used

The configuration is written last: where it stands, its secrets stand too. What fails midway is taken away again.
Fails by: `ForUser` with the path, and everything as before.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base import clock, files
from dnsops.base.errors import ForUser
from dnsops.base.secrets import Secret
from dnsops.certs.generations import Generations
from dnsops.dkim.keys import Keys
from mailsrv.directory import making
from mailsrv.quickstart import document, steps
from mailsrv.quickstart.answers import Answers, Kept
from mailsrv.quickstart.document import Proof
from mailsrv.quickstart.steps import Diary
from mailsrv.serving.privileges import USUAL

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

LARGEST = 1 << 20
PASSWORD, TOKEN, CONFIG, DIARY = "first-password", "dns-token", "mailsrv.yml", "quickstart.json"


@dataclass
class Paper:
    """One attempt at writing: what it made, to be taken away when it fails."""

    made: list[Path] = field(default_factory=list)

    def file(self, path: Path, data: bytes, mode: int = 0o600) -> None:
        """A file; what stood there without a configuration beside it was left by a run that was killed."""
        if not path.exists():
            self.made.append(path)
        files.replace(path, data, mode)
        _give(path, mode)

    def directory(self, path: Path, mode: int) -> None:
        """A directory; one that is there keeps its mode."""
        if path.is_dir():
            return
        self.directory(path.parent, 0o755)
        path.mkdir(mode=mode)
        self.made.append(path)

    def burn(self) -> None:
        """Take away what was made, newest first; a directory only when it is empty."""
        for path in reversed(self.made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()


@contextmanager
def _whole(where: Path) -> Iterator[Paper]:
    """All of it or nothing."""
    paper = Paper()
    try:
        yield paper
    except OSError as error:
        paper.burn()
        advice = "run as root, or name another directory: --output, --state"
        raise ForUser(f"cannot be written ({error.strerror})", error.filename or str(where), advice) from None
    except BaseException:
        paper.burn()
        raise


def configuration(answers: Answers, token: Secret | None, output: Path) -> Path:
    """The configuration and its secrets; gives the password's file."""
    with _whole(output) as paper:
        paper.directory(output, 0o755)
        password = output / PASSWORD
        if not password.exists():
            paper.file(password, f"{making.made()}\n".encode())
        if token and answers.credential.kept is Kept.OURS:
            paper.file(output / TOKEN, f"{token.reveal()}\n".encode())
        if (output / CONFIG).exists():
            raise ForUser("is there already", str(output / CONFIG), "run this again: it goes on with that one")
        text = document.text(answers, proof_of(password), str(output / TOKEN), listener_kinds())
        paper.file(output / CONFIG, text.encode(), 0o640)
    return password


def proof_of(password: Path) -> Proof:
    """The hash and the SCRAM keys of the password in a file."""
    text = files.read_bounded(password, 4096).decode().strip()
    return Proof(making.hashed("ARGON2ID", text), making.hashed(making.SCRAM, text))


def listener_kinds() -> tuple[str, ...]:
    """The names of all listeners but management's, which stays on loopback."""
    from dnsops.base.settings.mailserver import Listener, Listeners

    fields = Listeners.model_fields.items()
    return tuple(name for name, one in fields if name != "http" and isinstance(one.default, Listener))


def keys(settings: Settings, state: Path) -> None:
    """The next TLS key of the host and the next DKIM keys of every domain; those that are there are kept."""
    now = clock.now().wall
    files.private_directory(state)
    certificates, signing = _certificates(settings, state), Keys(state / "dkim")
    if certificates.current(settings.hostname) is None:
        certificates.make_next(settings.hostname)
    for domain in settings.signing_domains:
        if signing.ring(domain).current is None:
            signing.make_next(domain, settings.dkim.algorithms, now)


def have_keys(settings: Settings, state: Path) -> bool:
    """Whether there is a first key of each kind."""
    certificates, signing = _certificates(settings, state), Keys(state / "dkim")
    host = settings.hostname
    if certificates.current(host) is None and certificates.next(host) is None:
        return False
    rings = [signing.ring(domain) for domain in settings.signing_domains]
    return all(ring.current or ring.next for ring in rings)


def certified(settings: Settings, state: Path) -> bool:
    """Whether a valid pair is served, or waits for its turn, or the configuration names another one."""
    if settings.tls.certificate is not None:
        return True
    ours, host, now = _certificates(settings, state), settings.hostname, clock.now().wall
    pairs = (ours.current(host), ours.next(host))
    return any(pair is not None and pair.chain is not None and pair.chain.not_after > now for pair in pairs)


def _certificates(settings: Settings, state: Path) -> Generations:
    return Generations(state / "certs", key_type=settings.acme.key_type)


def diary(state: Path) -> Diary | None:
    """What an earlier run left; None when there was none, or it cannot be read: nothing depends on it."""
    try:
        return steps.read(files.read_bounded(state / DIARY, LARGEST))
    except (OSError, ValueError):
        return None


def remember(state: Path, entry: Diary) -> None:
    """The diary after a step."""
    try:
        files.private_directory(state)
        files.replace(state / DIARY, steps.write(entry))
        files.hand_over(state, state / DIARY)
    except OSError as error:
        raise ForUser(
            f"cannot be written ({error.strerror})", str(state), "run as root, or name another --state"
        ) from None


def _give(path: Path, mode: int) -> None:
    """What root wrote for the server's user: his own when it is private, else readable by his group."""
    if os.geteuid() != 0:
        return
    try:
        user = pwd.getpwnam(USUAL)
    except KeyError:
        return
    os.chown(path, user.pw_uid if mode == 0o600 else 0, user.pw_gid)
