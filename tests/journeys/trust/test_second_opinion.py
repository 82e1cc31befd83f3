"""rspamd's opinion of 500 real and mutated messages beside ours: SPF, DKIM, DMARC, ARC, on the same resolver.

Wherever the two differ there is a row in `known.KNOWN` that says who is right; a difference without one fails, and so does a row
that nothing meets. The messages are the corpus that `tests.journeys.clients.test_corpus` describes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.journeys.clients.test_corpus import letters
from tests.journeys.trust import opinions
from tests.journeys.trust.known import KNOWN
from tests.journeys.trust.letters import Case, cases
from tests.journeys.trust.opinions import Difference, Opinion, differences
from tests.journeys.trust.published import publish
from tests.lab.agreement import AGREED, DIFFERED
from tests.lab.dnstree import DnsTree
from tests.lab.scanners import Rspamd

MANY, SEED = 500, 6376
METHODS = ("dkim", "spf", "dmarc", "policy", "arc")

Compared = tuple[Case, Opinion, Opinion]


@pytest.fixture(scope="module")
def compared(opinion: Rspamd, dnstree: DnsTree) -> Iterator[list[Compared]]:
    """The messages, each with our verdicts and rspamd's."""
    asked = list(cases(letters("real"), SEED, MANY))
    zones = publish(dnstree)
    yield list(zip(asked, opinions.ours(asked), opinions.rspamds(asked, opinion.port), strict=True))
    for zone in zones:
        dnstree.restore(zone)


@pytest.fixture(scope="module")
def found(compared: list[Compared]) -> list[Difference]:
    every = [one for case, ours, theirs in compared for one in differences(case, ours, theirs)]
    for method in METHODS:
        AGREED[method] = len(compared) - len({one.case.number for one in every if one.method == method})
    for one in every:
        about = next((row.about for row in KNOWN if row.explains(one)), "unexplained")
        DIFFERED[one.method, about, f"{one.ours}, rspamd {one.theirs}"] += 1
    return every


def test_whatever_rspamd_sees_otherwise_is_explained(found: list[Difference]) -> None:
    unexplained = [one for one in found if not any(row.explains(one) for row in KNOWN)]
    told = [
        f"{one.method}: {one.ours}, rspamd {one.theirs}: #{one.case.number} {one.case.about}" for one in unexplained
    ]
    assert told == [], "\n".join(told)


def test_every_known_difference_is_still_there(found: list[Difference]) -> None:
    assert [row for row in KNOWN if not any(row.explains(one) for one in found)] == []


@pytest.mark.parametrize(
    "method,words",
    [
        ("spf", {"none", "pass", "fail", "softfail", "neutral", "temperror"}),
        ("dmarc", {"none", "pass", "fail", "temperror"}),
        ("policy", {"none", "quarantine", "reject"}),
        ("arc", {"none", "pass", "fail"}),
    ],
)
def test_both_say_every_word_of_a_method_about_the_same_message(
    compared: list[Compared], method: str, words: set[str]
) -> None:
    alike = Counter(
        getattr(ours, method) for _, ours, theirs in compared if getattr(ours, method) == getattr(theirs, method)
    )
    assert words <= set(alike), alike


def test_both_have_seen_many_good_and_bad_signatures(compared: list[Compared]) -> None:
    alike = Counter(word for _, ours, theirs in compared if ours.dkim == theirs.dkim for word in ours.dkim)
    assert alike["pass"] > 150, alike
    assert alike["fail"] > 100, alike
    assert alike["error"] >= 10, alike
    assert alike["later"] >= 10, alike
