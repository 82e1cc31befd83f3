"""rspamd's opinion of 500 real and mutated messages beside ours (SPF, DKIM, DMARC, ARC), and opendkim's, on the same resolver.

Wherever two of them differ there is a row in `known` that says who is right; a difference without one fails, and so does a row
that nothing meets. The messages are the corpus that `tests.journeys.clients.test_corpus` describes.
"""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from tests.conftest import without
from tests.journeys.clients.test_corpus import letters
from tests.journeys.trust import opinions
from tests.journeys.trust.known import KNOWN, OPENDKIM, RSPAMD, Known
from tests.journeys.trust.letters import Case, cases
from tests.journeys.trust.opinions import Difference, Opinion, differences, opendkims
from tests.journeys.trust.published import publish
from tests.lab.agreement import AGREED, DIFFERED
from tests.lab.dnstree import DnsTree
from tests.lab.network import needs
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
    count(every, KNOWN, METHODS)
    return every


def count(every: list[Difference], known: Sequence[Known], methods: Sequence[str]) -> None:
    """For the end of the test run."""
    for method in methods:
        AGREED[method] = MANY - len({one.case.number for one in every if one.method == method})
    for one in every:
        DIFFERED[one.method, next((row.about for row in known if row.explains(one)), "nothing")] += 1


def unexplained(every: list[Difference], known: Sequence[Known]) -> str:
    """A line for each."""
    left = [one for one in every if not any(row.explains(one) for row in known)]
    return "\n".join(f"{one.method}: {one.ours}, not {one.theirs}: #{one.case.number} {one.case.about}" for one in left)


def unmet(every: list[Difference], known: Sequence[Known]) -> list[Known]:
    return [row for row in known if not any(row.explains(one) for one in every)]


def test_whatever_rspamd_sees_otherwise_is_explained(found: list[Difference]) -> None:
    assert unexplained(found, KNOWN) == ""


def test_every_known_difference_is_still_there(found: list[Difference]) -> None:
    version = subprocess.run(["rspamd", "--version"], capture_output=True, text=True, check=True).stdout
    if not re.search(rf"\b{re.escape(RSPAMD)}\b", version):
        pytest.skip(f"the table is of rspamd {RSPAMD}, this is {version.strip()}")
    assert unmet(found, KNOWN) == []


def test_opendkim_finds_the_same_messages_signed(compared: list[Compared]) -> None:
    if missing := needs("opendkim-testmsg"):
        without("opendkim", missing)
    theirs = opendkims([case for case, *_ in compared])
    mine = (("pass" if "pass" in ours.dkim else "not") for _, ours, _ in compared)
    said = zip(compared, mine, theirs, strict=True)
    every = [Difference(case, "opendkim", ours, other) for (case, *_), ours, other in said if ours != other]
    count(every, OPENDKIM, ["opendkim"])
    assert (unexplained(every, OPENDKIM), unmet(every, OPENDKIM)) == ("", [])


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
