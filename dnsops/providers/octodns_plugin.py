"""One provider of an octoDNS configuration, loaded by octoDNS itself: its zones, their contents, changes. Knows octoDNS's calls.

A plugin is somebody else's code and raises what it likes: here each of its errors becomes one of three meanings.

    401, 403, "auth", "forbidden"               ForUser: look at its credentials
    429, 5xx, no connection, "rate", "timeout"  Unsure: nobody knows whether it was done; read again, then decide
    all else                                    ForUser, with what the plugin says

Fails by: those, and `Misconfigured` for a file that octoDNS does not load.
Limits: LONGEST_WORDS of a plugin's message, without what the file and the environment have as its options.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from dnsops.base import files
from dnsops.base.errors import Deliberate, ForUser, Misconfigured
from dnsops.base.printable import printable

if TYPE_CHECKING:
    from octodns.record.change import Change
    from octodns.zone import Zone

LARGEST_FILE = 1 << 20
LONGEST_WORDS = 300
SHORTEST_SECRET = 8
LOGGERS = ("Manager", "Plan", "Record", "Zone", "YamlProvider")
DENYING = ("auth", "forbidden", "denied", "credential")
WAITING = ("rate", "throttl", "timeout", "5xx", "unavailable")
ANY = "*"  # the first character of a configured zone that stands for all of the provider's

T = TypeVar("T")
_LOADING = Lock()  # octoDNS keeps registries for the whole process, and fills them while it loads a file


class Unsure(Exception):
    """It may have been done, or not."""


class Plugin:
    """A provider as octoDNS made it, fresh: what it read before, nobody remembers."""

    def __init__(self, file: Path, name: str) -> None:
        self.file, self.name = file, name
        self._secrets = _options(file, name)
        with _LOADING:
            manager = _quietly(lambda: _manager(file, self._secrets))
        if name not in manager.providers:
            known = ", ".join(sorted(manager.providers)) or "none"
            raise Misconfigured(f"it has no provider {name!r}", str(file), f"name one of: {known}")
        self._provider = manager.providers[name]
        logging.getLogger(str(getattr(self._provider.log, "name", name))).setLevel(logging.CRITICAL + 1)
        self._configured = _targeted(manager.config.get("zones") or {}, name)

    def zones(self) -> list[str]:
        """The names of the zones that the file gives to this provider; of all that it has, where the file says so."""
        exact = [zone for zone in self._configured if not zone.startswith(ANY)]
        if (exact and len(exact) == len(self._configured)) or not hasattr(self._provider, "list_zones"):
            return exact
        return [*exact, *(str(zone).rstrip(".") for zone in self._call("list its zones", self._provider.list_zones))]

    def zone(self, apex: str) -> Zone:
        """What stands in a zone now."""
        from octodns.zone import Zone

        zone = Zone(f"{apex}.", [])
        self._call(f"read {apex}", lambda: self._provider.populate(zone, target=True, lenient=True))
        return zone

    def takes(self, record: Any) -> bool:
        """Whether it can hold such a record."""
        several = record._type == "PTR" and len(getattr(record, "values", ())) > 1
        return bool(self._provider.supports(record)) and (self._provider.SUPPORTS_MULTIVALUE_PTR or not several)

    def apply(self, existing: Zone, changes: Iterable[Change]) -> None:
        """Make these changes and no others."""
        from octodns.provider.plan import Plan

        if self._provider.apply_disabled:
            raise ForUser(f"the provider {self.name} has apply_disabled", str(self.file), "remove that option")
        desired = existing.copy()
        wanted = list(changes)
        desired.apply(wanted)
        plan = Plan(existing, desired, wanted, True)
        self._call(f"change {existing.decoded_name}", lambda: self._provider.apply(plan))

    def _call(self, doing: str, call: Callable[[], T]) -> T:
        """What a plugin answers, or what its error means."""
        try:
            return call()
        except Deliberate:
            raise
        except Exception as error:  # a plugin raises what it likes: this is the edge to somebody else's code
            raise self._meaning(doing, error) from None

    def _meaning(self, doing: str, error: Exception) -> Exception:
        words = _words(error, self._secrets)
        what = f"octoDNS's {self.name} cannot {doing.rstrip('.')}: {words}"
        status, kind = _status(error), type(error).__name__.lower()
        if status in (401, 403) or any(word in kind for word in DENYING):
            return ForUser(what, str(self.file), "look at the provider's credentials and their rights")
        if isinstance(error, OSError) and status is None:
            return Unsure(what)
        if (status is not None and (status >= 500 or status == 429)) or any(word in kind for word in WAITING):
            return Unsure(what)
        return ForUser(what, str(self.file), "the plugin's documentation knows more")


def _manager(file: Path, secrets: Iterable[str]) -> Any:
    """octoDNS's own reading of its file: classes, options, secrets from the environment."""
    try:
        from octodns.manager import Manager
    except ImportError:
        advice = "install mailsrv with its extra: mailsrv[octodns]"
        raise Misconfigured("octoDNS is not installed", "dns.provider: octodns", advice) from None
    try:
        return Manager(str(file), max_workers=1)
    except Exception as error:  # its configuration starts plugins, and those raise what they like
        advice = "`octodns-validate --config-file FILE` says more"
        raise Misconfigured(f"octoDNS does not load it: {_words(error, secrets)}", str(file), advice) from None


def _quietly(make: Callable[[], T]) -> T:
    """octoDNS logs a lot that is not ours to say."""
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return make()


def _options(file: Path, name: str) -> tuple[str, ...]:
    """The texts among a provider's options: what messages must not show."""
    import yaml

    try:
        text = files.read_bounded(file, LARGEST_FILE).decode()
        options = (((yaml.safe_load(text) or {}).get("providers") or {}).get(name)) or {}
        values = [str(value) for key, value in options.items() if key != "class" and isinstance(value, str)]
    except (OSError, ValueError, AttributeError, yaml.YAMLError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no octoDNS configuration"
        advice = "name a file like octoDNS's production.yaml"
        raise Misconfigured(f"cannot be read ({reason})", str(file), advice) from None
    named = [os.environ.get(value[4:].partition("/")[0], "") for value in values if value.startswith("env/")]
    return tuple(value for value in (*values, *named) if len(value) >= SHORTEST_SECRET)


def _targeted(zones: Any, name: str) -> list[str]:
    """The configured zones that go to this provider."""
    return [
        str(zone).rstrip(".").lower()
        for zone, how in zones.items()
        if isinstance(how, dict) and name in (how.get("targets") or ())
    ]


def _words(error: Exception, secrets: Iterable[str]) -> str:
    """A plugin's message: one line, without secrets and without what stands behind the ? of an address."""
    text = " ".join(str(error).split()) or type(error).__name__
    for secret in secrets:
        text = text.replace(secret, "<secret>")
    return printable(re.sub(r"\?\S+", "?...", text))[:LONGEST_WORDS]


def _status(error: Exception) -> int | None:
    """The HTTP status of an error of requests or of a plugin that keeps the answer."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None
