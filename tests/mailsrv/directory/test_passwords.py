"""Logging in: right and wrong, remembered and forgotten, many at once, and nothing told about who exists."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import Later, Misconfigured
from mailsrv.directory import hashes, slow
from mailsrv.directory.book import Book
from mailsrv.directory.credentials import Credentials, Proof, credentials
from mailsrv.directory.hashes import Stored
from mailsrv.directory.keys import Keys
from mailsrv.directory.passwords import Denied, Granted, Hashing, Logins, Verdict
from mailsrv.directory.verified import RIGHT_FOR, WRONG_FOR, Verified
from tests.mailsrv.directory import house
from tests.mailsrv.directory.world import Time, logins

HERE, THERE = "192.0.2.1", "2001:db8::1"


def who(verdict: Verdict) -> str | None:
    return verdict.account.name if isinstance(verdict, Granted) else None


@pytest.mark.parametrize(
    "name, password, account",
    [
        ("user1", b"foobar", "user1"),
        ("User1@Example.org", b"foobar", "user1"),
        ("user1", b"foobaR", None),
        ("user1", b"foobar ", None),
        ("user1", b"builder", None),  # bob's
        ("päivi", "yö".encode(), "päivi"),
        ("päivi", "yo\u0308".encode(), "päivi"),  # the same word from a Mac
        ("gone", b"x", None),
        ("nobody", b"foobar", None),
        ("user1", b"", None),
        ("user1", b"foobar\0x", None),
        ("user1", b"f" * 1025, None),
        ("", b"foobar", None),
        ("u\ud800", b"foobar", None),
    ],
)
def test_who_gets_in(name: str, password: bytes, account: str | None) -> None:
    assert who(asyncio.run(logins().check(name, password, HERE))) == account


class Counting:
    """Credentials that count how often they are asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def proofs(self, password: bytes) -> Credentials:
        def check(given: bytes) -> bool:
            self.asked.append(given)
            return given == password

        return Credentials((Proof(Stored("TEST", check, good=True)),), b"fingerprint of " + password)


def counted(time: Time | None = None) -> tuple[Logins, Counting]:
    """user1's password is `foobar`, bob's is `builder`; each check is noted."""
    time, counting = time or Time(), Counting()
    proofs = {"user1": counting.proofs(b"foobar"), "bob": counting.proofs(b"builder")}
    return Logins(house.book(), proofs, secret=b"x", clock=time, sleep=time.sleep), counting


async def several(*calls: Awaitable[Verdict]) -> list[str | None]:
    return [who(await call) for call in calls]


def test_a_right_password_is_remembered_for_a_while() -> None:
    time = Time()
    door, counting = counted(time)
    assert asyncio.run(several(*(door.check("user1", b"foobar", HERE) for _ in range(5)))) == ["user1"] * 5
    assert len(counting.asked) == 1
    time.now += RIGHT_FOR
    asyncio.run(door.check("user1", b"foobar", HERE))
    assert len(counting.asked) == 2


def test_what_is_remembered_is_one_accounts_alone() -> None:
    """CVE-2025-30189: a cache that did not look whose entry it was."""
    door, _ = counted()
    calls = [
        ("user1", b"foobar"),
        ("bob", b"foobar"),
        ("bob", b"builder"),
        ("user1", b"builder"),
        ("nobody", b"foobar"),
    ]
    assert asyncio.run(several(*(door.check(*call, HERE) for call in calls))) == ["user1", None, "bob", None, None]


def test_a_changed_password_is_not_remembered() -> None:
    door, counting = counted()
    assert who(asyncio.run(door.check("user1", b"foobar", HERE))) == "user1"
    door.use(house.book(), {"user1": counting.proofs(b"other")})
    assert who(asyncio.run(door.check("user1", b"foobar", HERE))) is None
    assert who(asyncio.run(door.check("user1", b"other", HERE))) == "user1"
    door.forget("user1")
    asked = len(counting.asked)
    asyncio.run(door.check("user1", b"other", HERE))
    assert len(counting.asked) == asked + 1


def test_a_closed_account_is_closed_at_once() -> None:
    door, counting = counted()
    assert who(asyncio.run(door.check("user1", b"foobar", HERE))) == "user1"
    text = house.TEXT.replace("User1Real@example.org],", "User1Real@example.org], enabled: false,")
    door.use(house.book(text), {"user1": counting.proofs(b"foobar")})
    assert who(asyncio.run(door.check("user1", b"foobar", HERE))) is None


def test_the_same_wrong_password_is_not_another_guess() -> None:
    """A forgotten telephone asks every minute, for ever."""
    time = Time()
    door, counting = counted(time)
    for _ in range(200):
        assert asyncio.run(door.check("user1", b"old", HERE)) == Denied()
    assert (len(counting.asked), time.slept) == (1, [])
    time.now += WRONG_FOR
    asyncio.run(door.check("user1", b"old", HERE))
    assert len(counting.asked) == 2


@pytest.mark.parametrize("name", ["user1", "nobody"])
def test_guessing_becomes_slow_and_then_is_put_off(name: str) -> None:
    time = Time()
    door, counting = counted(time)
    answers: list[object] = []
    for n in range(20):
        try:
            answers.append(who(asyncio.run(door.check(name, b"guess%d" % n, HERE))))
        except Later as later:
            answers.append(later.after)
    assert answers[:9] == [None] * 9
    assert time.slept == [1, 2, 4]
    assert answers[9:] == [timedelta(seconds=9)] * 11
    assert len(counting.asked) == 9  # an unknown name costs the work of an account


def test_the_right_password_waits_like_any_other() -> None:
    """Else a guess could be tried during the delay."""
    door, _ = counted()
    asyncio.run(door.check("user1", b"foobar", THERE))
    for n in range(9):
        asyncio.run(door.check("user1", b"guess%d" % n, HERE))
    with pytest.raises(Later):
        asyncio.run(door.check("user1", b"foobar", HERE))
    assert who(asyncio.run(door.check("user1", b"foobar", THERE))) == "user1"


def test_many_with_one_password_are_one_attempt() -> None:
    door, counting = counted()

    async def ten() -> list[Verdict]:
        return await asyncio.gather(*(door.check("user1", b"foobar", HERE) for _ in range(10)))

    assert {who(verdict) for verdict in asyncio.run(ten())} == {"user1"}
    assert len(counting.asked) == 1


def test_too_many_at_once_are_told_to_come_again() -> None:
    time = Time()
    proofs = {"user1": Counting().proofs(b"foobar")}
    door = Logins(house.book(), proofs, hashing=Hashing(1, 2), clock=time, sleep=time.sleep)

    async def all_of_them() -> list[Verdict | BaseException]:
        calls = (door.check(f"name{n}", b"guess", f"10.0.0.{n}") for n in range(8))
        return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(all_of_them())
    assert [type(answer) for answer in answers] == [Denied] * 3 + [Later] * 5
    assert "too many people" in str(answers[-1])
    assert ("account", "name2") in door.throttle.counts
    assert ("account", "name7") not in door.throttle.counts  # it was never looked at


def test_an_abandoned_login_leaves_nothing_behind() -> None:
    door, _ = counted()

    async def abandoned() -> Verdict:
        task = asyncio.ensure_future(door.check("user1", b"foobar", HERE))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await door.check("user1", b"foobar", HERE)

    assert who(asyncio.run(abandoned())) == "user1"


def test_an_old_hash_is_replaced_at_login_and_only_then() -> None:
    better: dict[str, str] = {}
    text = house.TEXT.replace("{PLAIN}foobar", "{SSHA}0J7Zy6XRNEhvfOja6hpRmzL2JEpzYWx0")
    text = text.replace("{PLAIN}builder", slow.argon2id(b"builder"))
    door = logins(text, upgraded=better.__setitem__)
    asyncio.run(several(door.check("user1", b"wrong", HERE), door.check("bob", b"builder", HERE)))
    assert better == {}
    assert who(asyncio.run(door.check("user1", b"foobar", HERE))) == "user1"
    assert list(better) == ["user1"]
    assert better["user1"].startswith("$argon2id$")
    assert hashes.read(better["user1"]).check(b"foobar")


APPS = house.TEXT.replace(
    'password_hash: "{PLAIN}foobar",',
    'password_hash: "{PLAIN}foobar", app_passwords: [{name: phone, password_hash: "{PLAIN}ring"}, '
    '{name: fax, password_hash: "{PLAIN}beep", expires: 2026-11-22}],',
)


@pytest.mark.parametrize(
    "password, day, by",
    [
        (b"foobar", 22, ""),
        (b"ring", 22, "phone"),
        (b"beep", 22, "fax"),
        (b"beep", 23, None),
        (b"ring", 23, "phone"),
        (b"x", 22, None),
    ],
)
def test_app_passwords(password: bytes, day: int, by: str | None) -> None:
    door = logins(APPS, today=lambda: date(2026, 11, day))
    for _ in range(2):  # the second time it is remembered
        verdict = asyncio.run(door.check("user1", password, HERE))
        assert (verdict.by if isinstance(verdict, Granted) else None) == by


def test_an_app_password_ends_at_midnight_though_it_is_remembered() -> None:
    today = [date(2026, 11, 22)]
    door = logins(APPS, today=lambda: today[0])
    assert who(asyncio.run(door.check("user1", b"beep", HERE))) == "user1"
    today[0] += timedelta(days=1)
    assert who(asyncio.run(door.check("user1", b"beep", HERE))) is None


def test_all_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    text = house.TEXT.replace("{PLAIN}foobar", "{SSHA}!!").replace("{PLAIN}lamb", "$6$short")
    with pytest.raises(Misconfigured) as caught:
        credentials(house.settings(text))
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["accounts[0] (user1)", "accounts[2] (mary)"]
    assert "not base64" in lines[0]


def test_a_password_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("from a file\n", encoding="ascii")
    door = logins(house.TEXT.replace('password_hash: "{PLAIN}foobar"', f"password: !file {tmp_path}/pw"))
    assert who(asyncio.run(door.check("user1", b"from a file", HERE))) == "user1"


def test_a_house_without_accounts_lets_nobody_in() -> None:
    door = Logins(Book.of(house.settings("hostname: mx.x.org")), {})
    assert asyncio.run(door.check("user1", b"foobar", HERE)) == Denied()
    assert not door.can_scram()


# keys for SCRAM

PLAIN_HOUSE = house.TEXT
for _word in ("foobar", "builder", "lamb", "yö", "x"):
    PLAIN_HOUSE = PLAIN_HOUSE.replace(f'password_hash: "{{PLAIN}}{_word}"', f"password: !env PW_{len(_word)}")


@pytest.fixture
def plain_house(monkeypatch: pytest.MonkeyPatch) -> str:
    for word in ("foobar", "builder", "lamb", "yö", "x"):
        monkeypatch.setenv(f"PW_{len(word)}", word)
    return PLAIN_HOUSE


def keys(door: Logins, name: str, peer: str = HERE) -> Keys:
    return asyncio.run(door.keys(name, "sha256", peer))


def test_scram_is_possible_when_it_is_for_all(plain_house: str) -> None:
    assert logins(plain_house).can_scram()
    assert not logins().can_scram()  # hashes only: a client that takes SCRAM could never log in


def test_keys_are_made_of_a_password_that_is_there(plain_house: str) -> None:
    door = logins(plain_house)
    assert keys(door, "user1").matches(b"foobar")
    assert keys(door, "user1").salt == keys(logins(plain_house), "USER1").salt  # also after a restart
    assert keys(door, "bob").salt != keys(door, "user1").salt


@pytest.mark.parametrize("name", ["nobody", "gone", "user1+x", "", "x" * 3000, "u\ud800"])
def test_keys_for_nobody_look_like_any_and_stay_the_same(plain_house: str, name: str) -> None:
    made, again, known = (
        keys(logins(plain_house), name),
        keys(logins(plain_house), name),
        keys(logins(plain_house), "user1"),
    )
    assert made == again
    assert (made.iterations, len(made.salt), len(made.stored)) == (known.iterations, len(known.salt), len(known.stored))
    assert not made.matches(b"")
    assert not made.matches(b"x")


def test_stored_keys_are_used_and_imitated() -> None:
    stored = Keys.derive("sha256", b"foobar", b"salt of 18 octets.", 5000)
    text = house.TEXT
    for word in ("foobar", "builder", "lamb", "yö", "x"):
        text = text.replace(f"{{PLAIN}}{word}", str(stored))
    door = logins(text)
    assert door.can_scram()
    assert not door.can_scram("sha1")
    assert keys(door, "user1") == stored
    made = keys(door, "nobody")
    assert (made.iterations, len(made.salt)) == (5000, 18)
    assert made.salt != stored.salt
    assert made == keys(logins(text), "nobody")
    assert who(asyncio.run(door.check("user1", b"foobar", HERE))) == "user1"


def test_asking_for_keys_counts_as_a_guess_until_it_is_proved(plain_house: str) -> None:
    time = Time()
    door = logins(plain_house, time)
    for _ in range(20):
        keys(door, "user1")
        assert who(door.proved("user1", HERE)) == "user1"
    assert time.slept == []
    for _ in range(9):
        keys(door, "user1", THERE)
    assert time.slept == [1, 2, 4]
    with pytest.raises(Later):
        keys(door, "user1", THERE)
    assert door.proved("nobody", HERE) == Denied()


def test_the_memory_of_right_passwords_holds_no_password() -> None:
    verified = Verified(b"k" * 32)
    mark = verified.mark("user1", b"stored", "2026-11-22", b"foobar")
    verified.note("user1", mark, 0.0)
    assert "foobar" not in repr(verified)
    assert "kkk" not in repr(verified)
    assert verified.right("user1", mark, 1.0) == ""
    assert verified.right("bob", mark, 1.0) is None
    assert Verified(b"j" * 32).mark("user1", b"stored", "2026-11-22", b"foobar") != mark
    parts = [("user", b"1stored"), ("user1", b"store"), ("user1", b"Stored")]
    assert mark not in {verified.mark(name, stored, "2026-11-22", b"foobar") for name, stored in parts}


def test_what_is_printed_of_an_account_holds_no_secret(plain_house: str) -> None:
    for proofs in credentials(house.settings(plain_house)).values():
        assert "foobar" not in repr(proofs)
        assert repr(replace(proofs, fingerprint=b"zzz")).count("zzz") == 0
