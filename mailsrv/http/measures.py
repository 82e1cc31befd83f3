"""Figures for Prometheus, counted from the log lines that every room writes anyway: a hot path pays for no second call.

    measures = Measures(); log = measures.heard_by(log)        each line is written and counted
    measures.text(gauges)                                      the exposition, with what is measured at this moment

No account, address or domain is ever a label. Standard: the Prometheus text format 0.0.4.
Limits: an event that we do not know counts as itself, 200 of them at most. Fails by: nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

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


class Tally(Collector):
    """Messages taken: what is counted for each of them costs an addition, and becomes figures when somebody asks.

    The library's own counters take a lock and several calls for each step: together more than a log line costs.
    """

    def __init__(self) -> None:
        self.services = {"smtp": 0, "submission": 0}
        self.recipients = self.octets = 0
        self._sizes = [0] * (len(SIZES) + 1)  # up to each of SIZES, and above

    def add(self, service: str, recipients: int, size: int) -> None:
        self.services[service] += 1
        self.recipients += recipients
        self.octets += size
        self._sizes[bisect_left(SIZES, size)] += 1

    def collect(self) -> Iterator[Metric]:
        taken = CounterMetricFamily(
            "mailsrv_messages_received", "Messages taken, by the kind of listener.", labels=["service"]
        )
        for service, count in self.services.items():
            taken.add_metric([service], count)
        yield taken
        yield CounterMetricFamily("mailsrv_recipients", "Recipients of messages taken.", self.recipients)
        steps = zip([*map(floatToGoString, SIZES), "+Inf"], accumulate(self._sizes), strict=True)
        yield HistogramMetricFamily("mailsrv_message_size_bytes", "Sizes of messages taken.", list(steps), self.octets)


class Measures:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._events = self._counter("mailsrv_events", "What happened, by the name of the log line.", "event")
        self._tally = Tally()
        self.registry.register(self._tally)
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
        recipients, size = fields.get("recipients"), fields.get("size")
        if isinstance(recipients, int) and isinstance(size, int):
            self._tally.add("submission" if fields.get("account") else "smtp", recipients, size)

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
