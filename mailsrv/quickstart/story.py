"""From nothing to a complete zone and a certificate, step by step; interrupted anywhere, the next run goes on there.

    ask -> look -> [trouble? stop] -> write -> keys -> plan -> (yes?) apply -> certificate -> (start) -> last records -> what now

Nothing is written before the look; nothing is published before somebody, or --yes, agreed to the plan that was shown.
Fails by: `ForUser` when a person must act, `Later` when waiting helps; both leave what a later run goes on with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnsops.base import settings as configuration
from dnsops.base.errors import Exit, ForUser, Misused
from dnsops.base.secrets import Secret
from dnsops.reconcile.zone_files import read_saved
from dnsops.records import names
from mailsrv.quickstart import asking, checks, probing, starting, telling, writing
from mailsrv.quickstart.answers import Answers
from mailsrv.quickstart.finding import Finding
from mailsrv.quickstart.probing import Surroundings
from mailsrv.quickstart.steps import Diary, Seen, Step, Wish, next_step
from mailsrv.quickstart.stories import Ended, Stories
from mailsrv.quickstart.talk import Request, Talk
from mailsrv.serving.running import serving

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

PLAN = "quickstart-plan.json"


@dataclass
class Run:
    """One run, as far as it has come. planned: the zone has what it should. told: documents of the stories, for a program."""

    request: Request
    talk: Talk
    stories: Stories
    config: Path
    answers: Answers
    token: Secret | None
    state: Path
    findings: tuple[Finding, ...] = ()
    settings: Settings | None = None
    planned: bool = False
    settled: bool = False
    done: list[Step] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def wish(self) -> Wish:
        issue = self.settings.acme.issue if self.settings else True
        return Wish(self.request.apply, self.request.start, issue)

    def seen(self) -> Seen:
        """What exists now."""
        settings = self.settings
        if settings is None:
            return Seen()
        return Seen(
            configured=True,
            keys=writing.have_keys(settings, self.state),
            records=self.planned,
            certified=writing.certified(settings, self.state),
            serving=serving(self.state),
            settled=self.settled,
        )


def run(request: Request, talk: Talk, stories: Callable[[Path], Stories]) -> Run:
    """The whole of it; gives where it came to."""
    _startable(request)
    config = request.output.absolute() / writing.CONFIG
    settings = loaded(config) if config.exists() else None
    answers, token = asking.of_settings(settings, request) if settings else asking.asked(request, talk)
    state = asking.state_of(answers)
    now = Run(request, talk, stories(config), config, answers, token, state, settings=settings)
    _continued(now)
    _look(now)
    if settings is None:
        _shown(now)
    while step := next_step(now.seen(), now.wish):
        talk.say(telling.step(step))
        PERFORM[step](now)
        now.done.append(step)
        writing.remember(state, (writing.diary(state) or Diary(answers.domain, str(config))).with_step(step))
    return now


def _startable(request: Request) -> None:
    """What cannot be done in the end is said in the beginning."""
    if request.start and not starting.possible():
        advice = "leave it out, and start `mailsrv serve` by your own means"
        raise Misused("systemd does not run this machine", "--start", advice)


def loaded(config: Path) -> Settings:
    """The configuration that is there."""
    return configuration.load(config, names.host)


def _continued(now: Run) -> None:
    """Say that this is not the first run."""
    diary = writing.diary(now.state)
    if diary and diary.done and diary.domain == now.answers.domain:
        now.talk.say(f"Going on with {diary.domain}: {diary.config} is there; done so far: {', '.join(diary.done)}.")


def _look(now: Run) -> None:
    """The checks; trouble ends the run unless a person wants to go on all the same."""
    request = now.request
    if request.skip_checks:
        return
    now.talk.say("Checking the resolver, the zone, ports, addresses, the clock, the zone's holder ...")
    around = Surroundings(request.output, now.state, request.dial or probing.DIAL)
    now.findings = checks.judged(asyncio.run(probing.look(now.answers, now.token, around)))
    now.talk.table("", ("", "what", "found"), telling.rows(now.findings))
    broken = checks.troubles(now.findings)
    if not broken:
        return
    if request.yes or not now.talk.attended or not now.talk.agree("Mail would not work like this. Go on all the same?"):
        told = "\n".join(map(str, broken))
        raise ForUser(f"mail would not work yet:\n{told}", "", "mend that, or say --skip-checks")


def _shown(now: Run) -> None:
    """Before the first file is written."""
    now.talk.table("To be set up", ("", ""), telling.summary(now.answers))
    if not now.request.yes and now.talk.attended and not now.talk.agree(f"Write {now.config} and its secrets?"):
        raise ForUser("nothing was written", "", "run it again when you like")


def _configure(now: Run) -> None:
    writing.configuration(now.answers, now.token, now.config.parent)
    now.settings = loaded(now.config)
    now.talk.say(f"{now.config}; the password of {now.answers.account} is in {now.config.parent / writing.PASSWORD}")


def _keys(now: Run) -> None:
    if now.settings:
        writing.keys(now.settings, now.state)
        now.talk.say(f"next keys in {now.state / 'certs'} and {now.state / 'dkim'}: announced first, used later")


def _records(now: Run) -> None:
    """What was shown is what is applied: the plan is saved, and its fingerprint holds."""
    saved = now.state / PLAN
    plan = now.stories.plan(saved)
    now.told["plan"] = plan.document
    if plan.status == Exit.PENDING:
        _agreed(now)
        applied = _applied(now, "apply", saved)
        plan = applied if applied.fine else now.stories.plan(saved)
    if not plan.fine:
        _decided_later(now, saved)
    saved.unlink(missing_ok=True)
    now.planned = True


def _applied(now: Run, name: str, saved: Path | None = None, kinds: tuple[str, ...] = ("dkim", "tlsa")) -> Ended:
    """Carried out, and told in a few lines: the plan itself was shown before."""
    now.talk.say("Applying, then looking at every name server ...")
    ended = now.stories.apply(saved)
    now.told[name] = ended.document
    for line in telling.applied(ended.document, kinds):
        now.talk.say(line)
    return ended


def _decided_later(now: Run, saved: Path) -> None:
    """What only a person can decide is no reason to stop, where all else is in place: a stranger's record, an unsigned zone."""
    plans = read_saved(saved).plans
    ours = any(names.under(now.answers.domain, plan.zone) for plan in plans)
    if not ours or any(plan.changes or plan.refused for plan in plans):
        raise ForUser("not everything could be planned or carried out", "dns plan", "see above; then run this again")
    now.talk.say("Some records need your decision, see above; the rest goes on without them.")


def _agreed(now: Run) -> None:
    if now.request.yes:
        return
    if not now.talk.attended:
        raise ForUser(
            "there is nobody to agree to the plan", "", "say --yes, or --no-apply to publish the records by hand"
        )
    if not now.talk.agree("Apply this plan?"):
        raise Declined(
            "nothing was published", "", f"run `mailsrv quickstart {now.answers.domain}` again to go on here"
        )


class Declined(ForUser):
    """A person said no: what is planned waits."""

    status = Exit.PENDING


def _certify(now: Run) -> None:
    """Judged by what there is then: the story may have findings about ports that nobody serves yet."""
    ended = now.stories.certify()
    now.told["certificate"] = ended.document
    if not now.seen().certified:
        why = f": {ended.said}" if ended.said else ""
        raise ForUser(f"there is no certificate yet{why}", "cert issue", "see above; then run this again")


def _serve(now: Run) -> None:
    starting.start(now.config, now.state, now.answers.state)


def _settle(now: Run) -> None:
    """The records of the keys in use and of the account at the authority; then, when there is a server, a look from outside."""
    now.settled = True
    up = now.seen().serving
    if not up:
        now.talk.say("The server is not running yet: the records of its TLS keys come when it is.")
    if set(now.done) & {Step.CERTIFICATE, Step.SERVE}:  # else the plan of just now had everything
        _applied(now, "last", kinds=("dkim", "tlsa") if up else ("dkim",))
    if up:
        now.told["verify"] = now.stories.verify().document


PERFORM: dict[Step, Callable[[Run], None]] = {
    Step.CONFIGURE: _configure,
    Step.KEYS: _keys,
    Step.RECORDS: _records,
    Step.CERTIFICATE: _certify,
    Step.SERVE: _serve,
    Step.SETTLE: _settle,
}


def found(now: Run) -> telling.Found:
    """Where everything is at the end."""
    seen = now.seen()
    password = now.config.parent / writing.PASSWORD
    return telling.Found(
        config=str(now.config),
        password=str(password) if password.exists() else "",
        serving=seen.serving,
        systemd=starting.possible(),
        applied=seen.records,
        certified=seen.certified,
    )
