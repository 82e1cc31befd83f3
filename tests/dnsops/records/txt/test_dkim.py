"""DKIM key records, read and written."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.records.txt.dkim import DkimKey, owner
from dnsops.records.txt.tags import Malformed

ED = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8463 A.2
RAW = base64.b64decode(ED)


@pytest.mark.parametrize(
    "text, key",
    [
        (f"v=DKIM1; k=ed25519; p={ED}", DkimKey(RAW, "ed25519")),
        (f"k=ed25519;p={ED};", DkimKey(RAW, "ed25519")),
        (f"v=DKIM1; k=ed25519; p={ED[:20]} {ED[20:]}", DkimKey(RAW, "ed25519")),
        (f"v=DKIM1; k=ed25519; p={ED.rstrip('=')}", DkimKey(RAW, "ed25519")),
        ("v=DKIM1; p=", DkimKey(b"")),
        ("p=eHh4", DkimKey(b"xxx")),
        ("p=eHh4; v=DKIM1", DkimKey(b"xxx")),  # 3.6.1 wants v= first, and has only another version discarded
        ("v=DKIM1; h=sha1 : sha256; s=email:*; t=y:s; n=a note; g=*; p=eHh4", DkimKey(
            b"xxx", hashes=("sha1", "sha256"), services=("email", "*"), flags=("y", "s"), notes="a note"
        )),
    ],
)  # fmt: skip
def test_a_record_is_read(text: str, key: DkimKey) -> None:
    assert DkimKey.parse(text) == key
    assert DkimKey.parse(text.encode()) == key


@pytest.mark.parametrize(
    "text",
    [
        "", "v=DKIM1", "v=DKIM1; k=rsa", "v=DKIM2; p=eHh4", "p=eHh4; v=DKIM2", "v=dkim1; p=eHh4", "v=DKIM1; p=?", "v=DKIM1; p=eHh4; p=",
        f"v=DKIM1; k=ed25519; p={ED}AAAA", "v=DKIM1; p=" + "A" * 9000, "v=DKIM1; h=" + "a:" * 20 + "; p=eHh4", "v=spf1 -all",
    ],
)  # fmt: skip
def test_what_is_no_key_says_why(text: str) -> None:
    with pytest.raises(Malformed):
        DkimKey.parse(text)


WORDS = st.lists(st.sampled_from(["sha256", "email", "y", "s", "*"]), max_size=3).map(tuple)


@given(st.binary(max_size=40), WORDS, WORDS, WORDS, st.sampled_from(["", "a note"]))
def test_what_is_written_is_read_back(
    octets: bytes, hashes: tuple[str, ...], services: tuple[str, ...], flags: tuple[str, ...], notes: str
) -> None:
    key = DkimKey(octets, "rsa", hashes, services, flags, notes)
    assert DkimKey.parse(str(key)) == key


def test_what_a_record_means() -> None:
    key = DkimKey.parse("v=DKIM1; h=sha256; s=email; t=y:s; p=eHh4")
    assert (key.testing, key.exact, key.for_mail, key.revoked) == (True, True, True, False)
    assert (key.allows("sha256"), key.allows("sha1")) == (True, False)
    bare = DkimKey.parse("p=")
    assert (bare.testing, bare.exact, bare.for_mail, bare.revoked, bare.allows("sha256")) == (
        False,
        False,
        True,
        True,
        True,
    )
    assert not DkimKey.parse("s=tlsrpt; p=eHh4").for_mail


def test_where_it_stands() -> None:
    assert owner("s1", "a.example") == "s1._domainkey.a.example"
