"""The whole run with stories that are played: what is asked, in which order things happen, and that it may end at any point."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from dnsops.base import files
from dnsops.base.errors import Exit, ForUser, Later, Misused
from dnsops.base.secrets import Secret
from dnsops.certs.generations import Generations
from dnsops.dkim.keys import Keys
from dnsops.plan import saved
from dnsops.plan.door import Item, Plan
from dnsops.plan.door import Step as Step_
from dnsops.records.rdata import Record, parse
from mailsrv.quickstart import asking, questions, starting, story, writing
from mailsrv.quickstart.steps import Step
from mailsrv.quickstart.stories import Ended
from mailsrv.quickstart.talk import Request
from tests.dnsops import certificates

MX = Record("example.org", "MX", 300, parse("MX", "10 mx1.example.org."))
DOMAIN, HOST = "example.org", "mx1.example.org"
GIVEN = {
    "hostname": HOST,
    "provider": "cloudflare",
    "addresses": "192.0.2.25",
    "account": "user1",
    "contact": "a@b.example",
}
ALL = [Step.CONFIGURE, Step.KEYS, Step.RECORDS, Step.CERTIFICATE, Step.SETTLE]


class Killed(BaseException):
    """As SIGKILL would: nothing of ours may catch it and go on."""


@dataclass
class Talk:
    """A person who says what the test says. answers: by a word of the question."""

    attended: bool = False
    answers: dict[str, str] = field(default_factory=dict)
    agreeing: Callable[[str], bool] = lambda text: True
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.said += [" ".join(row) for row in rows]

    def ask(self, text: str, guess: str) -> str:
        self.asked.append(text)
        return next((self.answers.pop(word) for word in list(self.answers) if word in text), guess)

    def ask_secret(self, text: str) -> str:
        self.asked.append(text)
        return self.answers.get(text, "")

    def agree(self, text: str) -> bool:
        self.asked.append(text)
        return self.agreeing(text)


@dataclass
class World:
    """Stories that are played on a little world: records published or not, and a CA that issues at once."""

    state: Path
    published: bool = False
    stranger: bool = False
    zone: bool = True
    refused: str = ""
    calls: list[str] = field(default_factory=list)
    fail: dict[str, Ended | BaseException] = field(default_factory=dict)

    def _call(self, name: str, done: Callable[[], Ended]) -> Ended:
        self.calls.append(name)
        failure = self.fail.pop(name, None)
        if isinstance(failure, BaseException):
            raise failure
        return failure or done()

    def plan(self, saved: Path) -> Ended:
        def done() -> Ended:
            self._save(saved)
            return Ended(Exit.OK if self.published else Exit.PENDING)

        ended = self._call("plan", done)
        self._save(saved)
        return ended

    def _save(self, path: Path) -> None:
        items: tuple[Item, ...] = () if self.published else (Item(Step_.ADD, None, MX, "its mail comes here"),)
        items += (Item(Step_.CONFLICT, MX, None, "a stranger's"),) if self.stranger else ()
        plans = (Plan(DOMAIN, items, "f", self.refused),) if self.zone else ()
        path.write_bytes(saved.write(saved.Saved(saved.Kind.PLAN, "2026-11-26T12:00:00+00:00", plans)))

    def apply(self, saved: Path | None = None) -> Ended:
        def done() -> Ended:
            self.published = True
            return Ended(Exit.OK)

        return self._call("apply" if saved else "last", done)

    def certify(self) -> Ended:
        def done() -> Ended:
            ours = Generations(self.state / "certs")
            public = load_der_public_key(ours.make_next(HOST).spki)
            ours.install_chain(HOST, certificates.pem(*certificates.issue(public, HOST)))  # type: ignore[arg-type]
            ours.promote(HOST)
            ours.make_next(HOST)
            return Ended(Exit.FINDINGS)  # its port is not served yet

        return self._call("certify", done)

    def records(self) -> Ended:
        return self._call("records", lambda: Ended(Exit.OK))

    def verify(self) -> Ended:
        return self._call("verify", lambda: Ended(Exit.FINDINGS))


@dataclass
class Machine:
    """Directories of its own, and runs in them."""

    home: Path

    @property
    def output(self) -> Path:
        return self.home / "etc"

    @property
    def state(self) -> Path:
        return self.home / "state"

    def request(self, **changes: object) -> Request:
        plain = Request(
            DOMAIN, GIVEN, self.output, token=Secret("t0ken"), state=str(self.state), yes=True, skip_checks=True
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    def run(self, world: World, talk: Talk | None = None, **changes: object) -> story.Run:
        return story.run(self.request(**changes), talk or Talk(), lambda config: world)

    def tree(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for path in sorted(self.home.rglob("*"))
            if path.is_file() and path.name not in (".lock", "quickstart.json")
        }


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in ("STATE_DIRECTORY", "TOKEN", "CLOUDFLARE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return Machine(tmp_path)


@pytest.fixture
def world(machine: Machine) -> World:
    return World(machine.state)


def test_from_nothing_to_a_certificate_in_order(machine: Machine, world: World) -> None:
    run = machine.run(world)
    assert run.done == ALL
    assert world.calls == ["plan", "apply", "certify", "last"]
    found = story.found(run)
    assert (found.applied, found.certified, found.serving) == (True, True, False)
    assert found.password == str(machine.output / "first-password")


def test_keys_are_there_before_anything_is_published(machine: Machine, world: World) -> None:
    world.fail["plan"] = Later("not now")
    with pytest.raises(Later):
        machine.run(world)
    assert Generations(machine.state / "certs").next(HOST)
    assert Keys(machine.state / "dkim").ring(DOMAIN).next


def test_files_are_private(machine: Machine, world: World) -> None:
    machine.run(world)
    modes = {path.name: path.stat().st_mode & 0o777 for path in machine.output.iterdir()}
    assert modes == {"mailsrv.yml": 0o640, "dns-token": 0o600, "first-password": 0o600}
    assert {path.stat().st_mode & 0o077 for path in machine.state.rglob("*.pem")} == {0}
    assert "t0ken" not in (machine.output / "mailsrv.yml").read_text()


def test_a_second_run_asks_and_changes_nothing(machine: Machine, world: World) -> None:
    machine.run(world)
    before = machine.tree()
    world.calls.clear()
    talk = Talk(attended=True)
    run = machine.run(world, talk, yes=False, given={}, token=None)
    assert run.done == [Step.RECORDS, Step.SETTLE]
    assert talk.asked == []
    assert world.calls == ["plan"]
    assert machine.tree() == before
    assert any("Going on with example.org" in line for line in talk.said)


@pytest.mark.parametrize("name", ["plan", "apply", "certify", "last"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_any_story_the_next_run_completes(machine: Machine, world: World, name: str, when: str) -> None:
    play: Callable[..., Ended] = getattr(world, "apply" if name == "last" else name)

    def dying(*words: Path | None) -> Ended:
        if name == "last" and any(words):
            return play(*words)
        if when == "after":
            play(*words)
        raise Killed

    killed = replace(world, state=world.state)
    setattr(killed, "apply" if name == "last" else name, dying)
    with pytest.raises(Killed):
        machine.run(killed)
    world.published = killed.published or world.published
    first = Generations(machine.state / "certs").current(HOST)
    run = machine.run(world)
    assert run.done[-1] is Step.SETTLE
    assert story.found(run).certified
    if first:
        current = Generations(machine.state / "certs").current(HOST)
        assert current == first, "no second certificate"


def test_killed_at_every_write_the_next_run_completes(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before and after each file that is put in its place."""
    real, steps = files.replace, 0
    for limit in range(100):
        left = limit

        def dying(path: Path, data: bytes, mode: int = 0o600) -> None:
            nonlocal left
            for after in (False, True):
                if left == 0:
                    raise Killed
                left -= 1
                if not after:
                    real(path, data, mode)

        home = Machine(machine.home / str(limit))
        home.home.mkdir()
        here = World(home.state)
        monkeypatch.setattr(files, "replace", dying)
        try:
            home.run(here)
        except Killed:
            steps += 1
        else:
            break
        monkeypatch.setattr(files, "replace", real)
        run = home.run(here)
        assert run.done[-1] is Step.SETTLE
        assert story.found(run).certified
        assert (home.output / "first-password").exists()
    assert steps > 10


@pytest.mark.parametrize("broken", ["dns-token", "mailsrv.yml"])
def test_a_disk_that_refuses_leaves_nothing_behind(
    machine: Machine, world: World, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.replace

    def full(path: Path, data: bytes, mode: int = 0o600) -> None:
        if path.name == broken:
            raise OSError(28, "No space left on device", str(path))
        real(path, data, mode)

    monkeypatch.setattr(files, "replace", full)
    with pytest.raises(ForUser, match="No space left"):
        machine.run(world)
    assert not machine.output.exists()
    assert world.calls == []


def test_an_existing_configuration_is_never_written_over(machine: Machine, world: World) -> None:
    machine.run(world)
    before = machine.tree()
    with pytest.raises(ForUser) as refused:
        machine.run(world, given=GIVEN | {"hostname": "mx2.example.org", "account": "user2"})
    assert "hostname is mx1.example.org, asked for was mx2.example.org" in str(refused.value)
    assert "account is user1, asked for was user2" in str(refused.value)
    assert machine.tree() == before


def test_a_configuration_of_another_domain_is_left_alone(machine: Machine, world: World) -> None:
    machine.run(world)
    with pytest.raises(ForUser, match=r"is for example\.org"):
        machine.run(world, domain="example.net")


def test_a_plan_is_applied_only_when_somebody_agrees(machine: Machine, world: World) -> None:
    talk = Talk(attended=True, agreeing=lambda text: "Apply" not in text)
    with pytest.raises(story.Declined) as declined:
        machine.run(world, talk, yes=False)
    assert declined.value.status is Exit.PENDING
    assert world.calls == ["plan"]
    with pytest.raises(ForUser, match="nobody to agree"):
        machine.run(world, Talk(attended=False), yes=False)


def test_declining_to_write_writes_nothing(machine: Machine, world: World) -> None:
    with pytest.raises(ForUser, match="nothing was written"):
        machine.run(world, Talk(attended=True, agreeing=lambda text: False), yes=False)
    assert machine.tree() == {}


def test_without_apply_the_dns_is_left_alone(machine: Machine, world: World) -> None:
    run = machine.run(world, apply=False)
    assert run.done == [Step.CONFIGURE, Step.KEYS]
    assert world.calls == []


@pytest.mark.parametrize(
    ("name", "ended", "says"),
    [
        ("plan", Ended(Exit.FINDINGS), "not everything could be planned"),
        ("plan", Later("429"), "429"),
        ("apply", Ended(Exit.FINDINGS), "not everything could be planned or carried out"),
        ("certify", Ended(Exit.FINDINGS, said="CAA forbids it"), "no certificate yet: CAA forbids it"),
    ],
)
def test_a_story_that_fails_stops_the_run_and_a_later_one_completes(
    machine: Machine, world: World, name: str, ended: Ended | BaseException, says: str
) -> None:
    world.fail[name] = ended
    with pytest.raises((ForUser, Later), match=says):
        machine.run(world)
    assert machine.run(world).done[-1] is Step.SETTLE


@pytest.mark.parametrize(("name", "published"), [("plan", True), ("apply", False)])
def test_what_a_person_must_decide_is_no_reason_to_stop(
    machine: Machine, world: World, name: str, published: bool
) -> None:
    """A stranger's record in the way, or a zone without DNSSEC: the rest is in place."""
    world.stranger, world.published = True, published
    real = world.apply

    def apply(saved: Path | None = None) -> Ended:
        real(saved)
        return Ended(Exit.FINDINGS)

    def plan(saved: Path) -> Ended:
        world._save(saved)
        return Ended(Exit.PENDING if not world.published else Exit.FINDINGS)

    world.apply, world.plan = apply, plan  # type: ignore[method-assign]
    talk = Talk()
    assert machine.run(world, talk).done == ALL
    assert any("need your decision" in line for line in talk.said)


@pytest.mark.parametrize("trouble", [{"zone": False}, {"refused": "too much would go"}, {"published": False}])
def test_a_plan_that_cannot_be_made_or_carried_out_is(
    machine: Machine, world: World, trouble: dict[str, object]
) -> None:
    world.published = True
    for key, value in trouble.items():
        setattr(world, key, value)
    world.fail["plan"] = Ended(Exit.FINDINGS)
    with pytest.raises(ForUser, match="not everything could be planned"):
        machine.run(world)


def test_a_person_is_asked_until_it_is_an_answer() -> None:
    (question, *_) = questions.QUESTIONS
    tries = iter(["not a name", HOST])
    talk = Talk(attended=True)
    talk.ask = lambda text, guess: next(tries)  # type: ignore[method-assign]
    assert asking._answer(question, DOMAIN, questions.Hints(), {}, talk) == HOST
    assert any("write a name such as mx1.example.org" in line for line in talk.said)
    talk.ask = lambda text, guess: "still no name"  # type: ignore[method-assign]
    with pytest.raises(Misused, match="no answer to"):
        asking._answer(question, DOMAIN, questions.Hints(), {}, talk)


def test_a_typed_token_goes_into_a_file_of_ours(machine: Machine, world: World) -> None:
    talk = Talk(attended=True, answers={"API token": "s3cret"})
    machine.run(world, talk, yes=False, token=None)
    assert (machine.output / "dns-token").read_text() == "s3cret\n"
    assert not any("s3cret" in line for line in talk.said)


def test_without_a_token_and_nobody_there_it_says_how_to_give_one(machine: Machine, world: World) -> None:
    with pytest.raises(Misused, match="--token-file FILE or --token-env NAME"):
        machine.run(world, token=None)
    with pytest.raises(Misused, match="TSIG key"):
        machine.run(world, token=None, given={**GIVEN, "provider": "rfc2136:192.0.2.1"})


def test_the_token_of_the_environment_is_kept_in_a_file(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDFLARE_API_TOKEN", "from-env")
    machine.run(world, token=None)
    assert (machine.output / "dns-token").read_text() == "from-env\n"


def test_the_host_cannot_be_the_domain(machine: Machine, world: World) -> None:
    with pytest.raises(Misused, match="the domain's own name"):
        machine.run(world, given={**GIVEN, "hostname": DOMAIN})


def test_the_password_opens_the_account(machine: Machine, world: World) -> None:
    from mailsrv.directory import hashes

    run = machine.run(world)
    assert run.settings
    password = (machine.output / "first-password").read_text().strip()
    stored = run.settings.accounts[0].password_hash
    assert stored
    assert hashes.read(stored.reveal()).check(password.encode())


def test_systemd_is_looked_for_before_anything_else(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "BOOTED", machine.home / "no systemd here")
    with pytest.raises(Misused, match="systemd does not run this machine"):
        machine.run(world, start=True)
    assert machine.tree() == {}


def test_with_systemd_the_server_is_started_before_the_last_records(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    monkeypatch.setattr(starting, "possible", lambda: True)
    with ExitStack() as held:

        def start(config: Path, state: Path, own_state: str) -> None:
            started.append((config, own_state))
            held.enter_context(files.lock(state / "serve.lock"))

        monkeypatch.setattr(starting, "start", start)
        run = machine.run(world, start=True)
        assert run.done == list(Step)
        assert story.found(run).serving
    assert started == [(machine.output / "mailsrv.yml", str(machine.state))]
    assert world.calls == ["plan", "apply", "certify", "last", "verify"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_writes_is_for_the_servers_user(
    machine: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr(writing, "USUAL", "nobody")
    machine.run(world)
    owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in machine.output.iterdir()}
    assert owners == {
        "mailsrv.yml": (0, nobody.pw_gid),
        "dns-token": (nobody.pw_uid, nobody.pw_gid),
        "first-password": (nobody.pw_uid, nobody.pw_gid),
    }
