"""Keys on disk: made together, swapped in one step, swept, given away; what a running server sees of it."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from dnsops.base import files
from dnsops.base.errors import ForUser, Later
from dnsops.base.log import Log
from dnsops.dkim import keys as on_disk
from dnsops.dkim import ring as form
from dnsops.dkim.keys import Keys
from dnsops.dkim.public import record_of_pem
from dnsops.dkim.ring import Generation, Ring, Role, Selector
from dnsops.dkim.signers import Signers
from dnsops.records.txt.dkim import DkimKey

DOMAIN = "example.org"
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
BOTH = ("rsa", "ed25519")
QUICK = ("ed25519",)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "state" / "dkim")


def home(keys: Keys) -> Path:
    return keys.directory / DOMAIN


def files_of(keys: Keys) -> set[str]:
    return {path.name for path in home(keys).iterdir() if path.name != ".lock"}


def test_both_algorithms_are_made_together_and_sign_only_after_the_switch(keys: Keys) -> None:
    ring = keys.make_next(DOMAIN, BOTH, NOON)
    assert (ring.current, keys.signers(DOMAIN)) == (None, ())
    assert keys.make_next(DOMAIN, BOTH, NOON) == ring, "an announced key is never replaced"
    assert keys.promote(DOMAIN, NOON).next is None
    signers = keys.signers(DOMAIN)
    assert [signer.algorithm for signer in signers] == list(BOTH)
    assert [signer.selector[:7] for signer in signers] == ["202611r", "202611e"]
    assert isinstance(signers[0].key, rsa.RSAPrivateKey)
    assert signers[0].key.key_size == 2048
    assert isinstance(signers[1].key, ed25519.Ed25519PrivateKey)
    assert {path.stat().st_mode & 0o777 for path in home(keys).iterdir()} == {0o600}
    assert home(keys).stat().st_mode & 0o777 == 0o700


def test_a_record_holds_the_public_half(keys: Keys) -> None:
    """RFC 6376 3.6.1: SubjectPublicKeyInfo for RSA; RFC 8463 4.2: 32 bare bytes for Ed25519."""
    keys.make_next(DOMAIN, BOTH, NOON)
    ring = keys.promote(DOMAIN, NOON)
    records = [DkimKey.parse(selector.text) for selector in ring.selectors]
    publics = [signer.key.public_key() for signer in keys.signers(DOMAIN)]
    assert load_der_public_key(records[0].key) == publics[0]
    assert records[1].key == publics[1].public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert [record.kind for record in records] == list(BOTH)


def test_no_private_key_is_printed_with_a_signer(keys: Keys) -> None:
    keys.make_next(DOMAIN, QUICK, NOON)
    keys.promote(DOMAIN, NOON)
    assert "PRIVATE" not in repr(keys.signers(DOMAIN))


def test_selectors_of_one_month_differ(keys: Keys) -> None:
    made = []
    for _ in range(20):
        made += [selector.name for selector in keys.make_next(DOMAIN, QUICK, NOON).next.selectors]  # type: ignore[union-attr]
        keys.promote(DOMAIN, NOON)
    assert len(set(made)) == 20


def test_a_whole_life_leaves_nothing_but_what_was_wished(keys: Keys) -> None:
    for publish in (False, True):
        keys.make_next(DOMAIN, QUICK, NOON)
        old = keys.promote(DOMAIN, NOON).current
        assert old
        keys.make_next(DOMAIN, QUICK, NOON)
        keys.promote(DOMAIN, NOON)
        pem = (home(keys) / f"{old.selectors[0].name}.ed25519.pem").read_bytes()
        keys.gone(DOMAIN, old.name, NOON)
        keys.forget(DOMAIN, old.name, publish)
        assert not any(old.selectors[0].name in name for name in files_of(keys))
        given = keys.directory / "retired" / DOMAIN / f"{old.selectors[0].name}.pem"
        assert given.exists() is publish
    assert pem in given.read_bytes()
    assert load_pem_private_key(given.read_bytes(), None)
    assert f"the selector {old.selectors[0].name}, until 2026-11-01" in given.read_text()
    assert given.stat().st_mode & 0o777 == 0o644


def test_only_what_is_gone_is_forgotten(keys: Keys) -> None:
    ring = keys.make_next(DOMAIN, QUICK, NOON)
    assert keys.forget(DOMAIN, ring.generations[0].name, True) == ring
    assert not (keys.directory / "retired").exists()


class Killed(BaseException):
    """The process died here."""


def test_killed_at_any_write_the_ring_is_whole_and_the_next_call_ends_it(
    keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.make_next(DOMAIN, QUICK, NOON)
    keys.promote(DOMAIN, NOON)
    signing = keys.signers(DOMAIN)
    real, count, at = files.replace, 0, 0

    def dying(path: Path, data: bytes, mode: int = 0o600) -> None:
        nonlocal count
        count += 1
        if count == at:
            (path.parent / f".{path.name}.half").write_bytes(data[:10])
            raise Killed
        real(path, data, mode)

    for number in (1, 2, 3):
        count, at = 0, number
        monkeypatch.setattr(files, "replace", dying)
        with pytest.raises(Killed):
            keys.make_next(DOMAIN, BOTH, NOON)
        monkeypatch.setattr(files, "replace", real)
        assert keys.signers(DOMAIN) == signing
        assert keys.ring(DOMAIN).next is None
    ring = keys.make_next(DOMAIN, BOTH, NOON)
    assert files_of(keys) == {"ring.json"} | {f"{one.name}.{one.algorithm}.pem" for one in ring.selectors}


def test_what_a_death_left_is_swept(keys: Keys) -> None:
    keys.make_next(DOMAIN, QUICK, NOON)
    kept = files_of(keys)
    for name in ("202610e-abcdef.ed25519.pem", ".ring.json.x7"):
        (home(keys) / name).write_bytes(b"left")
    keys.tidy(DOMAIN)
    assert files_of(keys) == kept


def test_a_second_writer_is_told_to_wait(keys: Keys) -> None:
    keys.make_next(DOMAIN, QUICK, NOON)
    with files.lock(home(keys) / ".lock"), pytest.raises(Later):
        keys.promote(DOMAIN, NOON)


def test_a_key_that_is_missing_is_not_switched_to(keys: Keys) -> None:
    ring = keys.make_next(DOMAIN, QUICK, NOON)
    (home(keys) / f"{ring.selectors[0].name}.ed25519.pem").unlink()
    with pytest.raises(ForUser, match="cannot be read"):
        keys.promote(DOMAIN, NOON)
    assert keys.ring(DOMAIN) == ring


DAMAGED = {
    "cut off": lambda text: text[: len(text) // 2],
    "a list": lambda text: "[]",
    "deep": lambda text: "[" * 100_000,
    "of the future": lambda text: text.replace('"version": 1', '"version": 2'),
    "of another domain": lambda text: text.replace(DOMAIN, "example.net"),
    "a path": lambda text: text.replace('"selector": "', '"selector": "../'),
    "an odd algorithm": lambda text: text.replace('"ed25519"', '"rsa"'),
    "no record": lambda text: text.replace("v=DKIM1", "v=spf1"),
    "two that sign": lambda text: text.replace('"NEXT"', '"CURRENT"'),
    "no zone of time": lambda text: text.replace("+00:00", ""),
    "no text": lambda text: "\udcff",
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_ring_is_for_a_person_and_never_made_anew(keys: Keys, damage: object) -> None:
    keys.make_next(DOMAIN, QUICK, NOON)
    keys.promote(DOMAIN, NOON)
    keys.make_next(DOMAIN, QUICK, NOON)
    path = home(keys) / "ring.json"
    before = path.read_text()
    data = damage(before).encode("utf-8", "surrogateescape")  # type: ignore[operator]
    assert data != before.encode()
    path.write_bytes(data)
    for call in (keys.signers, keys.ring, lambda domain: keys.make_next(domain, QUICK, NOON)):
        with pytest.raises(ForUser, match="ring"):
            call(DOMAIN)  # type: ignore[operator]
    assert path.read_bytes() == data


def test_a_ring_reads_what_it_writes() -> None:
    selector = Selector("a-b", "rsa", str(DkimKey(b"k")))
    ring = Ring(DOMAIN, (Generation("g", Role.CURRENT, NOON, (selector,)),))
    assert form.read(form.write(ring)) == ring
    assert selector.revoked.text == "v=DKIM1; k=rsa; p="


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_root_makes_by_hand_belongs_to_the_states_owner(keys: Keys) -> None:
    state = keys.directory.parent
    state.mkdir()
    os.chown(state, 12345, 12345)
    keys.make_next(DOMAIN, QUICK, NOON)
    assert {path.stat().st_uid for path in (keys.directory, home(keys), *home(keys).iterdir())} == {12345}


# a running server


def test_a_server_swaps_live_and_looks_for_one_stat(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    signers = Signers(keys, (DOMAIN,), Log(quiet=True))
    assert (signers.look(), signers.of(DOMAIN)) == (False, ())
    keys.make_next(DOMAIN, QUICK, NOON)
    assert not signers.look(), "what is on its way signs nothing"
    keys.promote(DOMAIN, NOON)
    assert signers.look()
    first = signers.of(DOMAIN)
    assert len(first) == 1
    monkeypatch.setattr(on_disk.files, "read_bounded", None)  # an unchanged ring is not even opened
    assert not signers.look()
    monkeypatch.undo()
    keys.make_next(DOMAIN, QUICK, NOON + timedelta(days=90))
    assert not signers.look()
    assert signers.of(DOMAIN) == first
    keys.promote(DOMAIN, NOON + timedelta(days=90))
    assert signers.look()
    assert signers.of(DOMAIN) != first
    assert signers.of("example.net") == ()


def test_a_server_keeps_what_it_has_says_so_once_and_tries_again(keys: Keys) -> None:
    said = io.StringIO()
    signers = Signers(keys, (DOMAIN,), Log(said, json_lines=True))
    keys.make_next(DOMAIN, QUICK, NOON)
    keys.promote(DOMAIN, NOON)
    signers.look()
    kept, path = signers.of(DOMAIN), home(keys) / "ring.json"
    good = path.read_bytes()
    path.write_bytes(b"{")
    assert (signers.look(), signers.look()) == (False, False)
    assert signers.of(DOMAIN) == kept
    assert said.getvalue().count("dkim.kept") == 1
    path.unlink()
    assert (signers.look(), signers.of(DOMAIN)) == (False, kept)
    path.write_bytes(good)
    keys.make_next(DOMAIN, QUICK, NOON)
    keys.promote(DOMAIN, NOON)
    assert signers.look()


# keys of other servers


def pem_of(key: object, form: PrivateFormat = PrivateFormat.PKCS8) -> bytes:
    return key.private_bytes(Encoding.PEM, form, NoEncryption())  # type: ignore[attr-defined, no-any-return]


def test_a_key_is_read_in_every_common_form_of_pem() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    forms = [pem_of(key), pem_of(key, PrivateFormat.TraditionalOpenSSL), public]
    assert len({record_of_pem(pem, "") for pem in forms}) == 1
    assert record_of_pem(pem_of(ed25519.Ed25519PrivateKey.generate()), "").startswith("v=DKIM1; k=ed25519; p=")


@pytest.mark.parametrize(
    "pem,why",
    [
        (b"", "no key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no key in PEM"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
        (pem_of(ed25519.Ed25519PrivateKey.generate())[:-40], "no key in PEM"),
    ],
)
def test_what_is_no_key_for_dkim_is_said(pem: bytes, why: str) -> None:
    with pytest.raises(ForUser, match=why) as said:
        record_of_pem(pem, "key.pem")
    assert said.value.where == "key.pem"
