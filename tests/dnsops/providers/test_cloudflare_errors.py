"""What Cloudflare's refusals mean, as a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.providers.cloudflare_errors import LONGEST_MESSAGE, LONGEST_WAIT, Verdict, refusal


def body(*codes: int) -> dict[str, object]:
    return {"success": False, "errors": [{"code": code, "message": f"message {code}"} for code in codes]}


VERDICTS = [
    (400, body(1004), Verdict.INVALID),
    (400, body(81057), Verdict.CHANGED),
    (400, body(81058), Verdict.CHANGED),
    (404, body(81044), Verdict.CHANGED),
    (404, body(7003), Verdict.INVALID),
    (404, "<html>", Verdict.UNSURE),
    (400, body(9109), Verdict.DENIED),
    (403, body(10000), Verdict.DENIED),
    (403, body(4242), Verdict.DENIED),
    (403, "<html>a wall</html>", Verdict.UNSURE),
    (401, None, Verdict.DENIED),
    (429, body(10429), Verdict.BUSY),
    (429, "<html>", Verdict.BUSY),
    (500, body(1004), Verdict.UNSURE),
    (503, None, Verdict.UNSURE),
    (409, body(1), Verdict.UNSURE),
    (200, body(1004), Verdict.UNSURE),
    (200, body(10000), Verdict.DENIED),
    (200, {}, Verdict.UNSURE),
]


@pytest.mark.parametrize("status, answer, verdict", VERDICTS)
def test_verdicts(status: int, answer: object, verdict: Verdict) -> None:
    assert refusal(status, {}, answer).verdict is verdict


def test_the_chain_of_errors_is_told() -> None:
    chain = {
        "errors": [
            {
                "code": 1004,
                "message": "DNS Validation Error",
                "error_chain": [{"code": 9005, "message": "Content invalid."}],
            }
        ]
    }
    assert refusal(400, {}, chain).text == "DNS Validation Error (1004); Content invalid. (9005)"


NOW = "Sun, 22 Nov 2026 12:00:00 GMT"
WAITS = [
    ({"retry-after": "Sun, 22 Nov 2026 12:00:20 GMT", "date": NOW}, 20.0),
    ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT", "date": NOW}, 0.0),
    ({"retry-after": "Mon, 23 Nov 2026 12:00:00 GMT", "date": NOW}, LONGEST_WAIT),
    ({"retry-after": "Sun, 22 Nov 2026 12:00:20 GMT"}, 60.0),
    ({"retry-after": "soon"}, 60.0),
    ({"retry-after": "1.5"}, 1.5),
    ({"ratelimit": '"default";r=0;t=9, "burst";r=1;t=2'}, 9.0),
    ({"ratelimit": '"default";r=0'}, 60.0),
]


@pytest.mark.parametrize("headers, wait", WAITS)
def test_how_long_to_wait(headers: dict[str, str], wait: float) -> None:
    assert refusal(429, headers, None).wait == wait


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda one: (
        st.lists(one) | st.dictionaries(st.text() | st.sampled_from(["errors", "code", "message", "error_chain"]), one)
    ),
)


@given(st.sampled_from([200, 400, 401, 403, 404, 429, 500]), json, st.text())
def test_any_answer_has_a_bounded_meaning(status: int, answer: object, header: str) -> None:
    found = refusal(status, {"retry-after": header, "ratelimit": header}, answer)
    assert len(found.text) <= LONGEST_MESSAGE
    assert found.wait is None or 0 <= found.wait <= LONGEST_WAIT
