"""Hostile messages, ours and the tool box's: each is signed, judged, sealed and cleaned without a complaint."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mailsrv.auth import arc, canonical, dkim
from mailsrv.auth.results import without_forged
from mailsrv.auth.signing import sign
from mailsrv.auth.verdicts import Arc, Result
from tests.journeys.hostile.messages import MESSAGES
from tests.mailsrv.auth.examples import chain_of, signatures_of
from tests.mailsrv.auth.signers import NOW, published, signer

KEY = signer("ed25519")
DNS = published(KEY)
# the tool box is no part of the project: MAILSRV_TOOLS names it, else a folder beside ours is looked for
TOOLS = Path(os.environ.get("MAILSRV_TOOLS", "") or Path(__file__).parents[4] / "shared" / "tools") / "attack"


def of_the_tool_box() -> list[Callable[[], bytes]]:
    path = TOOLS / "hostile.py"
    spec = importlib.util.spec_from_file_location("hostile", path) if path.exists() else None
    if spec is None or spec.loader is None:
        return []
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [make for _, _, make in module.ALL]


def judge(content: bytes) -> None:
    assert len(signatures_of(content, DNS, NOW)) <= dkim.MOST_SIGNATURES
    assert without_forged(content, "mx1.example.org") == content
    signed = sign(content, [KEY], NOW) + content
    readable = canonical.readable(signed)
    assert (Result.PASS in [one.result for one in signatures_of(signed, DNS, NOW)]) is readable
    sealed = arc.seal(content, Arc(Result.NONE), "mx1.example.org; none", KEY, NOW)
    if sealed:
        assert chain_of(sealed + content, DNS, NOW).result is Result.PASS


@pytest.mark.parametrize("name", MESSAGES)
def test_ours(name: str) -> None:
    judge(MESSAGES[name]())


@pytest.mark.skipif(not of_the_tool_box(), reason=f"no hostile messages at {TOOLS} (MAILSRV_TOOLS)")
@pytest.mark.parametrize("number", range(len(of_the_tool_box())))
def test_those_of_the_tool_box(number: int) -> None:
    judge(of_the_tool_box()[number]())
