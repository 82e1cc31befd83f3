"""Backups in an S3 store: two cannot harm each other, and what the store refuses is said in one sentence. The store is moto's."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Later
from dnsops.base.secrets import Secret
from mailsrv.backup import bucket
from mailsrv.backup.bucket import Account, Bucket
from mailsrv.backup.place import Damaged
from mailsrv.backup.shelf import Shelf
from mailsrv.backup.snapshot import PIECE, Entry, Snapshot
from tests.lab.mailserver import free_ports
from tests.lab.s3 import BUCKET, Store

NAMES = ("20260101T000000Z", "20260102T000000Z", "20260103T000000Z")
FEW = {"max_retries": 1, "retry_timeout": timedelta(seconds=5)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("s3")) as store:
        yield store


def account(store: Store, **other: str) -> Account:
    env = store.environment
    return Account(
        Secret(other.get("access", env["AWS_ACCESS_KEY_ID"])),
        Secret(other.get("secret", env["AWS_SECRET_ACCESS_KEY"])),
        other.get("endpoint", store.endpoint),
    )


@pytest.fixture
def place(store: Store, tmp_path: Path) -> Bucket:
    return Bucket(f"s3://{BUCKET}/{tmp_path.name}", account(store), tmp_path, tmp_path / "lock")


def taken(place: Bucket, name: str, content: bytes) -> Entry:
    shelf = Shelf(place)
    shelf.prepare()
    with shelf.alone():
        entry, _ = shelf.take("state/a", 0o600, io.BytesIO(content))
        shelf.save(Snapshot(name, (entry,)))
    return entry


def given(shelf: Shelf, name: str) -> bytes:
    snapshot = shelf.load(name)
    return shelf.give(snapshot, snapshot.entries[0])


def test_what_is_kept_stays_whole_and_the_rest_goes(place: Bucket, store: Store, tmp_path: Path) -> None:
    contents = {name: b"a" * PIECE * 20 + name.encode() for name in NAMES}
    for name, content in contents.items():
        taken(place, name, content)
    shelf = Shelf(place)
    assert shelf.forget(2) == 1
    assert shelf.names() == list(NAMES[1:])
    assert {name: given(shelf, name) for name in NAMES[1:]} == {name: contents[name] for name in NAMES[1:]}
    assert len(store.objects(f"{tmp_path.name}/pieces/")) == 3
    assert store.objects(f"{tmp_path.name}/locks/") == {}


@pytest.mark.parametrize("harm", ["gone", "changed", "huge"])
def test_a_damaged_piece_is_never_given(place: Bucket, store: Store, tmp_path: Path, harm: str) -> None:
    piece = taken(place, NAMES[0], b"whole").pieces[0]
    key = f"{tmp_path.name}/pieces/{piece[:2]}/{piece}"
    if harm == "gone":
        store.client.delete_object(Bucket=BUCKET, Key=key)
    else:
        store.client.put_object(Bucket=BUCKET, Key=key, Body=b"other" if harm == "changed" else bytes(1 << 20))
    with pytest.raises(Damaged):
        given(Shelf(place), NAMES[0])


def test_a_piece_of_another_length_is_laid_there_again(place: Bucket, store: Store, tmp_path: Path) -> None:
    piece = taken(place, NAMES[0], b"whole").pieces[0]
    store.client.put_object(Bucket=BUCKET, Key=f"{tmp_path.name}/pieces/{piece[:2]}/{piece}", Body=b"who")
    taken(place, NAMES[1], b"whole")
    assert given(Shelf(place), NAMES[0]) == b"whole"


def test_two_hosts_are_never_at_work_together(place: Bucket, store: Store, tmp_path: Path) -> None:
    other = Bucket(place.where, account(store), tmp_path)
    with place.alone():
        with pytest.raises(Later, match="another backup"), other.alone():
            pytest.fail("both at work")
        with pytest.raises(Later), Bucket(place.where, account(store), tmp_path, tmp_path / "lock").alone():
            pytest.fail("both at work")
    with other.alone():
        pass


def test_the_lock_of_a_killed_backup_of_this_host_is_known_by_its_kernel(
    place: Bucket, store: Store, tmp_path: Path
) -> None:
    with place._on_this_host() as host:
        store.client.put_object(Bucket=BUCKET, Key=f"{tmp_path.name}/locks/{host}-dead", Body=b"")
    with place.alone():
        assert not [name for name in store.objects(f"{tmp_path.name}/locks/") if name.endswith("-dead")]


def test_the_lock_of_a_killed_backup_of_another_host_is_old_by_the_stores_clock(
    place: Bucket, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.client.put_object(Bucket=BUCKET, Key=f"{tmp_path.name}/locks/elsewhere-1", Body=b"")
    with pytest.raises(Later), place.alone():
        pytest.fail("it may still be at work")
    monkeypatch.setattr(bucket, "LEASE", timedelta(seconds=-1))
    with place.alone():
        assert len(store.objects(f"{tmp_path.name}/locks/")) == 1


def test_who_could_not_renew_his_lock_writes_no_list_and_removes_nothing(
    place: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.alone():
        now = bucket._now()
        monkeypatch.setattr(bucket, "_now", lambda: now + 200)
        with pytest.raises(Later, match="could not be renewed"):
            place.save("lists", NAMES[0], b"")
        with pytest.raises(Later, match="could not be renewed"):
            place.drop("lists", [NAMES[0]])


def test_what_is_at_work_renews_its_lock(place: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "RENEW", timedelta(milliseconds=20))
    with place.alone():
        first = place._renewed
        for _ in range(500):
            if place._renewed > first:
                break
            time.sleep(0.01)
        assert place._renewed > first


@pytest.mark.parametrize(
    "other,kind,said",
    [
        ({"secret": "wrong"}, ForUser, r"refuses these credentials \(SignatureDoesNotMatch\)"),
        ({"access": "AKIANOBODY"}, ForUser, r"refuses these credentials \(InvalidAccessKeyId\)"),
        ({"bucket": "nobodys"}, ForUser, "there is no such bucket"),
        ({"endpoint": ""}, Later, "no connection"),
    ],
    ids=["secret", "access", "bucket", "unreachable"],
)
@pytest.mark.parametrize("act", ["prepare", "names", "read", "save", "fetch"])
def test_a_refusal_is_one_sentence_without_the_secret(
    store: Store, monkeypatch: pytest.MonkeyPatch, other: dict[str, str], kind: type[Exception], said: str, act: str
) -> None:
    monkeypatch.setattr(bucket, "RETRY", FEW)
    if "endpoint" in other:
        other = {"endpoint": f"http://127.0.0.1:{free_ports(1)[0]}"}
    place = Bucket(f"s3://{other.get('bucket', BUCKET)}/x", account(store, **other))
    place._renewed = bucket._now()
    acts = {
        "prepare": place.prepare,
        "names": lambda: place.names("lists"),
        "read": lambda: place.read("lists", NAMES[0], 9),
        "save": lambda: place.save("lists", NAMES[0], b""),
        "fetch": lambda: list(place.fetch(["ab12"])),
    }
    with pytest.raises(kind, match=said) as caught:
        acts[act]()
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 300
    assert store.environment["AWS_SECRET_ACCESS_KEY"] not in text


def test_a_prefix_of_something_else_stays_as_it_is(store: Store, tmp_path: Path) -> None:
    store.client.put_object(Bucket=BUCKET, Key=f"{tmp_path.name}/photos/1.jpg", Body=b"x")
    with pytest.raises(ForUser, match="something else"):
        Bucket(f"s3://{BUCKET}/{tmp_path.name}", account(store)).prepare()
