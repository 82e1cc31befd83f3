"""Does the server prefer better suites? What must be asked, and the finding. Pure.

    na     only TLS 1.3, or neither bad, phase-out nor sufficient suites were found, or a question of order failed
    good   each question was answered with the better suite, or there was nothing to compare
    bad    a phase-out suite was preferred

Insufficient suites are not compared (an oddity of the site). Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from checks.catalogue import by_id
from checks.facts.tls import Tls
from checks.finding import Finding, Status
from checks.judge import thresholds
from checks.judge.thresholds import Grade

FULL, NONE = 10, 0


def questions(accepted: Sequence[str]) -> list[tuple[str, ...]]:
    """What to offer, in this order, at the highest version below 1.3; its accepted suites are handed in.

    All that are to be phased out (ChaCha20 last), and behind them one that is better: each sufficient one, then each good one.
    """
    old = [name for name in accepted if thresholds.suite(name) is Grade.PHASE_OUT]
    if not old:
        return []
    old.sort(key=lambda name: "CHACHA" in name)
    better = [name for grade in (Grade.SUFFICIENT, Grade.GOOD) for name in accepted if thresholds.suite(name) is grade]
    return [(*old, name) for name in better]


def finding(tls: Tls) -> Finding:
    """Of the answers."""
    subtest = by_id("tls_cipher_order")
    grades = {thresholds.suite(name) for names in tls.suites.values() for name in names}
    if tls.below_13 is None or not grades - {Grade.GOOD} or any(not one.chosen for one in tls.order):
        return subtest.finding(Status.GOOD, "na", FULL, host=tls.host)
    wrong = [f"{one.chosen} is preferred to {one.wanted}" for one in tls.order if one.chosen != one.wanted]
    if wrong:
        return subtest.finding(Status.FAIL, "bad", NONE, host=tls.host, details=wrong[:1])
    return subtest.finding(Status.GOOD, "good", FULL, host=tls.host)
