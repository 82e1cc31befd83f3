"""What was found out by asking the DNS is found again without work, as long as every answer stands. Pure.

    noted = Noted(resolver)                       a resolver that notes what it is asked and what it answers
    again.keep(case, noted.answers, verdict)
    again.find(case, known)                       the verdict, or None
    heard = Heard(known)                          the same as Noted, where nothing has to be asked

A verdict comes from its case and from answers alone. While the resolver still has each of those very answers - the same
objects, within their TTL - it would come out the same, and nothing is kept that the resolver has forgotten: no second cache.
Limits: MOST verdicts, the oldest go; MOST_ANSWERS of one. Fails by: None.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from dnsops.resolve.answer import Answer, Question, Resolver

MOST = 4096
MOST_ANSWERS = 40

Known = Callable[[Question], Answer | None]
Case = TypeVar("Case", bound=Hashable)
Verdict = TypeVar("Verdict")
Answers = Sequence[tuple[Question, Answer]]


class Again(Generic[Case, Verdict]):
    """Verdicts by their case."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: dict[Case, tuple[tuple[tuple[Question, Answer], ...], Verdict]] = {}  # the latest last

    def keep(self, case: Case, answers: Answers, verdict: Verdict) -> None:
        """`answers`: all that the verdict came from."""
        self._kept.pop(case, None)
        if len(answers) <= MOST_ANSWERS:
            self._kept[case] = tuple(answers), verdict
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]

    def find(self, case: Case, known: Known) -> Verdict | None:
        """`known`: what the resolver has of an answer now."""
        kept = self._kept.get(case)
        if kept is None or any(known(question) is not answer for question, answer in kept[0]):
            return None
        return kept[1]


class Heard:
    """A `Known` that keeps what it told."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self.answers: list[tuple[Question, Answer]] = []

    def __call__(self, question: Question) -> Answer | None:
        answer = self._known(question)
        if answer is not None:
            self.answers.append((question, answer))
        return answer


class Noted:
    """A resolver that keeps what it answered."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.answers: list[tuple[Question, Answer]] = []

    async def ask(self, name: str, type_name: str) -> Answer:
        answer = await self._resolver.ask(name, type_name)
        self.answers.append((Question(name, type_name), answer))
        return answer


def nothing(question: Question) -> Answer | None:
    """The knowledge of a resolver that keeps nothing."""
    return None
