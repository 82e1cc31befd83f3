"""What all reports say alike, held against every action that any of them knows."""

from __future__ import annotations

from enum import Enum

import pytest

from dnsops.reconcile import telling
from dnsops.rollover import certificate, dkim, tlsa

ACTIONS = [*tlsa.Action, *dkim.Action, *certificate.Action]


@pytest.mark.parametrize("action", ACTIONS, ids=str)
def test_every_action_has_its_place_from_what_needs_a_person_down(action: Enum) -> None:
    assert telling.word(action) in telling.URGENCY


def test_no_word_is_there_that_no_action_has() -> None:
    words = {telling.word(action) for action in ACTIONS}
    assert {*telling.URGENCY} == words
    assert {*telling.CHANGES} == words - {"later", "refuse", "wait", "none"}
