"""Decisions that need look-ups midway, written once and driven by anyone: a flow yields a question, receives the answer.

`run` drives one from a function (tests: a dict's), `arun` from a coroutine function (the resolver's `ask`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TypeAlias, TypeVar

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


async def arun(flow: Generator[Question, Answer, Result], ask: Callable[[Question], Awaitable[Answer]]) -> Result:
    """Drive a flow with answers that take a while."""
    try:
        question = next(flow)
        while True:
            question = flow.send(await ask(question))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
