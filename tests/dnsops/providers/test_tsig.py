"""TSIG keys as people have them in files."""

from __future__ import annotations

import dns.tsig
import pytest

from dnsops.base.errors import Misconfigured
from dnsops.providers.tsig import ALGORITHMS, parse

SECRET = "c2VjcmV0IGZvciBhIHRlc3Q="
GOOD = [
    (f'key "mailsrv" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n', ("mailsrv", "hmac-sha256")),
    (f"key mailsrv. {{ secret {SECRET}; algorithm HMAC-SHA512; }}", ("mailsrv", "hmac-sha512")),
    (
        f'# made by hand\n// {{\n/* key "old" {{ secret "x"; }}; */ key "k.example.org" {{ algorithm hmac-md5; secret "{SECRET}"; }};',
        ("k.example.org", "hmac-md5.sig-alg.reg.int"),
    ),
    (f'key "K" {{ secret "{SECRET}"; }};', ("k", "hmac-sha256")),
    (f"hmac-sha384:mailsrv:{SECRET}\n", ("mailsrv", "hmac-sha384")),
    (f"mailsrv:{SECRET}", ("mailsrv", "hmac-sha256")),
]


@pytest.mark.parametrize("text, wanted", GOOD)
def test_both_forms_are_read(text: str, wanted: tuple[str, str]) -> None:
    key = parse(text, "file")
    assert (key.name, key.algorithm) == wanted
    assert key.secret.reveal() == SECRET
    assert SECRET not in repr(key)


BAD = [
    ("", "no TSIG key"),
    (SECRET, "no TSIG key"),
    (f"a:b:c:{SECRET}", "no TSIG key"),
    (f"hmac-sha256:{SECRET}-:x y", "no TSIG key"),
    (f"hmac-sha257:mailsrv:{SECRET}", "algorithm is not known"),
    (f"hmac-sha256:mail srv:{SECRET}", "no TSIG key"),
    (f"hmac-sha256:ma!l:{SECRET}", "no TSIG key"),
    ("hmac-sha256:mailsrv:not base64!", "no TSIG key"),
    ("hmac-sha256:mailsrv:c2Vj!", "not base64"),
    ('key "a" { algorithm hmac-sha256; };', "has no secret"),
    (f'key "a" {{ secret "{SECRET}"; }}; key "b" {{ secret "{SECRET}"; }};', "2 TSIG keys"),
    ("options { };", "0 TSIG keys"),
    ("x" * 70000, "no more than"),
]


@pytest.mark.parametrize("text, told", BAD)
def test_what_is_no_key_is_said_without_showing_it(text: str, told: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        parse(text, "/etc/tsig.key")
    assert told in str(refusal.value)
    assert "/etc/tsig.key" in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_every_hmac_that_dnspython_knows_is_known() -> None:
    known = {name.to_text(omit_final_dot=True).lower() for name in dns.tsig.mac_sizes}
    assert set(ALGORITHMS.values()) == known - {"gss-tsig"}
