"""Figures for Prometheus, counted from the log lines that every room writes anyway: a hot path pays for no second call.

    measures = Measures(); log = measures.heard_by(log)        each line is written and counted
    measures.text(gauges)                                      the exposition, with what is measured at this moment

No account, address or domain is ever a label. Standard: the Prometheus text format 0.0.4.
Limits: an event that we do not know counts as itself, 200 of them at most. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from dnsops.base.log import Log, Value

MOST_EVENTS = 200
SIZES = (1e3, 4e3, 16e3, 64e3, 256e3, 1e6, 4e6, 16e6, 64e6)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure of this moment; `labels` has one value for each label name."""

    name: str
    what: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class Observed(Log):
    """A log whose lines are counted as well."""

    def __init__(self, log: Log, heard: Callable[[str, Mapping[str, Value]], None]) -> None:
        super().__init__(quiet=True)
        self._log, self._heard = log, heard

    def __call__(self, event: str, **fields: Value) -> None:
        self._heard(event, fields)
        self._log(event, **fields)


class Measures:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._events = self._counter("mailsrv_events", "What happened, by the name of the log line.", "event")
        self._taken = self._counter("mailsrv_messages_received", "Messages taken, by the kind of listener.", "service")
        self._submitted, self._arrived = self._taken.labels("submission").inc, self._taken.labels("smtp").inc
        self._recipients = self._counter("mailsrv_recipients", "Recipients of messages taken.")
        self._size = Histogram(
            "mailsrv_message_size_bytes", "Sizes of messages taken.", buckets=SIZES, registry=self.registry
        )
        self._attempts = self._counter("mailsrv_deliveries", "Attempts to deliver to others, by outcome.", "outcome")
        self._logins = self._counter("mailsrv_logins", "Logins, by protocol and result.", "protocol", "result")
        self._known: dict[str, Callable[[], None]] = {}  # what counts each event
        self._told: dict[str, Callable[[Mapping[str, Value]], None]] = {
            "mail.received": self._received,
            "imap.login": lambda fields: self._logins.labels("imap", "ok").inc(),
            "imap.login_failed": lambda fields: self._logins.labels("imap", "failed").inc(),
            "smtp.login": lambda fields: self._logins.labels("smtp", "ok").inc(),
            "smtp.login_failed": lambda fields: self._logins.labels("smtp", "failed").inc(),
        }
        for outcome in ("delivered", "failed", "later", "expired", "here"):
            child = self._attempts.labels(outcome)
            self._told[f"send.{outcome}"] = lambda fields, child=child: child.inc()  # type: ignore[misc]

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(name, what, labels, registry=self.registry)

    def heard_by(self, log: Log) -> Log:
        """The log to hand to the rooms."""
        return Observed(log, self.heard)

    def heard(self, event: str, fields: Mapping[str, Value]) -> None:
        """One line."""
        count = self._known.get(event)
        if count is None:
            event = event if len(self._known) < MOST_EVENTS else "other"
            count = self._known[event] = self._events.labels(event).inc
        count()
        if (told := self._told.get(event)) is not None:
            told(fields)

    def _received(self, fields: Mapping[str, Value]) -> None:
        (self._submitted if fields.get("account") else self._arrived)()
        recipients, size = fields.get("recipients", 1), fields.get("size", 0)
        if isinstance(recipients, int) and isinstance(size, int):
            self._recipients.inc(recipients)
            self._size.observe(size)

    def text(self, gauges: Iterable[Gauge]) -> bytes:
        """The exposition."""
        return generate_latest(self.registry) + generate_latest(_moment(gauges))


def _moment(gauges: Iterable[Gauge]) -> CollectorRegistry:
    """A registry of what was measured just now."""
    families: dict[str, GaugeMetricFamily] = {}
    for gauge in gauges:
        names = [name for name, _ in gauge.labels]
        family = families.setdefault(gauge.name, GaugeMetricFamily(gauge.name, gauge.what, labels=names))
        family.add_metric([value for _, value in gauge.labels], gauge.value)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(list(families.values())))
    return registry


class _Families:
    def __init__(self, families: list[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families
