"""Decisions that need look-ups midway, written once and driven by anyone: a flow yields a question, receives the answer.

`run` drives one from a function (tests: a dict's), `arun` from a coroutine function (the resolver's `ask`); a `Begun` goes as far
as what is known already leads, and waits only for the rest.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Generic, TypeAlias, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Result = TypeVar("Result")
Flow: TypeAlias = Generator[Question, Answer, Result]


def run(flow: Generator[Question, Answer, Result], ask: Callable[[Question], Answer]) -> Result:
    """Drive a flow with answers that are there."""
    try:
        question = next(flow)
        while True:
            question = flow.send(ask(question))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]


class Begun(Generic[Question, Answer, Result]):
    """A flow under way. result: set once it is `finished`.  known: an answer that is at hand, or None."""

    __slots__ = ("_flow", "_question", "finished", "result")
    result: Result
    _question: Question

    def __init__(self, flow: Generator[Question, Answer, Result], known: Callable[[Question], Answer | None]) -> None:
        self._flow, self.finished = flow, False
        try:
            question = next(flow)
            while (answer := known(question)) is not None:
                question = flow.send(answer)
        except StopIteration as done:
            self.finished, self.result = True, done.value
        else:
            self._question = question

    async def finish(self, ask: Callable[[Question], Awaitable[Answer]]) -> Result:
        """The rest of the way."""
        try:
            while not self.finished:
                self._question = self._flow.send(await ask(self._question))
        except StopIteration as done:
            self.finished, self.result = True, done.value
        return self.result


async def arun(flow: Generator[Question, Answer, Result], ask: Callable[[Question], Awaitable[Answer]]) -> Result:
    """Drive a flow with answers that take a while."""
    try:
        question = next(flow)
        while True:
            question = flow.send(await ask(question))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
