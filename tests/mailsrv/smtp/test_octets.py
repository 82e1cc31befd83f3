"""Octets of a message, block by block: the same verdict as one that looks at each line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailsrv.smtp.octets import Octets
from mailsrv.smtp.replies import BROKEN_ENDS

PIECES = st.sampled_from([b"a", b"bcd", b"\r\n", b"\r\n", b"e\r\n", b"\r", b"\n"])
BLOCKS = st.lists(st.lists(PIECES, max_size=6).map(b"".join), max_size=4)


@given(BLOCKS, st.sampled_from([1, 2, 5, 100]))
def test_blocks_are_judged_as_their_lines_are(blocks: list[bytes], longest: int) -> None:
    blocks = [block.rstrip(b"\r") for block in blocks]  # no block parts a CR from its LF
    seen = Octets(longest)
    for block in blocks:
        seen.look(block)
    whole = b"".join(blocks)
    bare = whole.replace(b"\r\n", b"")
    broken = b"\r" in bare or b"\n" in bare
    long = max(map(len, whole.split(b"\r\n"))) > longest
    assert (seen.problem is None) == (not broken and not long) or _ended(whole, longest)
    if broken and not long:
        assert seen.problem is BROKEN_ENDS
    if seen.problem is None:
        assert seen.run == len(whole) - (whole.rfind(b"\r\n") + 2 if b"\r\n" in whole else 0)


def _ended(whole: bytes, longest: int) -> bool:
    """A line's own end counts, as it always has: at the very limit that is a matter of two octets."""
    return longest - 2 < max(map(len, whole.split(b"\r\n"))) <= longest
