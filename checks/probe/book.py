"""The book of one check: every question is asked once, whoever asks it, and the answers are kept for the judges.

    async with Book(asker) as book:
        verdict = await book.follow(flow)          a flow of a judge that yields `Question`s
    facts = Facts(..., book=book.pages)

Who leaves the book ends what is still asked. Fails by: nothing; what could not be answered, or stands beyond MOST questions, is an unanswered `Lookup`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable
from types import TracebackType
from typing import Self, TypeVar

from checks.facts.looked import Lookup, Question, unasked
from checks.probe.asking import Asker
from dnsops.base.flow import arun

MOST = 2000  # questions about one domain; a domain of 12 hosts with long SPF trees asks 400

Result = TypeVar("Result")


class Book:
    """Questions and their answers."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._asking: dict[Question, asyncio.Task[Lookup]] = {}
        self.pages: dict[Question, Lookup] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._asking.values():
            task.cancel()

    async def look(self, name: str, type_name: str, accurate: bool = False) -> Lookup:
        """What the DNS says of it."""
        return await self.answer(Question(name, type_name, accurate))

    async def answer(self, question: Question) -> Lookup:
        """The same by its question."""
        known = self.pages.get(question)
        if known is not None:
            return known
        task = self._asking.get(question)
        if task is None:
            if len(self.pages) + len(self._asking) >= MOST:
                return unasked(question)
            task = self._asking[question] = asyncio.create_task(self._ask(question))
        return await asyncio.shield(task)

    async def look_each(self, questions: Iterable[Question]) -> list[Lookup]:
        """Several at once, in their order."""
        return list(await asyncio.gather(*map(self.answer, questions)))

    async def follow(self, flow: Generator[Question, Lookup, Result]) -> Result:
        """Go where a judge's questions lead."""
        return await arun(flow, self.answer)

    async def _ask(self, question: Question) -> Lookup:
        try:
            found = await self._asker.look(question)
        finally:
            self._asking.pop(question, None)
        self.pages[question] = found
        return found
