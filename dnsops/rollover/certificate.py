"""One host's certificate: when a new one is due, what to do about it now, and when to raise the alarm. Pure.

    nothing yet ----> ORDER with the announced key ----> SWITCH (nobody knows an older key) -----------.
                        ^          |                                                                   v
    due (see `due`) ----'          '--------> WAIT beside it, not served, until its TLSA is ripe ----> NONE

- The latest chain counts: one that waits for its key's turn is not ordered twice.
- When its turn does not come (a DNS that is broken for weeks) and the served certificate is about to end, the key in use
  gets a new certificate: no record has to change for that.
- The authority's window (ARI) beats our own reckoning, as long as it is sane: it never makes us later than an eighth of the
  life before the end, nor renew a certificate that is younger than a day.
- A host's own point in any span comes from its name: the same at every look, another one for another host.
- After failures the gaps grow; never more than five tries an hour, whatever anybody asks for.

Standards: RFC 9773 4.2 (a random point in the window), RFC 8555 6.6 (Retry-After).
Fails by: keeping what is served. A clock that was set back lets a try be made, not a wait grow.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from dnsops.acme.door import Window
from dnsops.certs.chain import Chain
from dnsops.rollover.certificate_journal import Journal
from dnsops.rollover.look import Finding

NOTHING, DAY, HOUR = timedelta(0), timedelta(days=1), timedelta(hours=1)
PATIENCE = 3  # failures before there is a first certificate, after which a person is told
MOST_AN_HOUR = 5  # failures for a name; what authorities allow
FIRST_GAP, LARGEST_GAP = timedelta(minutes=5), timedelta(hours=6)
LATEST = 8  # the last eighth of a life: by then a renewal is due, whatever the authority says
SPREAD = 30  # the thirtieth of a life by which hosts differ
ENDED = "ended"
ALARMS = ((3, 20), (7, 8), (14, 4))  # days left, or this part of the life when it is short


class Action(Enum):
    """The one word for a run at one host, in JSON and tables; the value explains it."""

    NONE = "valid, and not due yet"
    ORDER = "a certificate is due"
    WAIT = "the new certificate waits until everybody can know its key"
    SWITCH = "the new certificate is served"
    LATER = "a try failed lately: the next one comes by itself"
    REFUSE = "doing nothing is right, and a person should look"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a person asked for. force: a new certificate now, and no waiting after failures."""

    renew_before: timedelta = timedelta(days=30)
    force: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of one host. names: what the certificate shall be for, the host first.

    current: the chain of the key in use, when it has one.  next: the chain of the announced key, when it has one.
    window: what the authority says about the latest of the two.  served: whether there is a key in use at all.
    """

    host: str
    names: tuple[str, ...]
    current: Chain | None = None
    next: Chain | None = None
    window: Window | None = None
    served: bool = False

    @property
    def latest(self) -> Chain | None:
        return self.next or self.current


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now, and why. wait: how long until time allows more, or until the next certificate is due.

    reuse: order for the key in use, since the next one's turn does not come.  alarm: the step of days left that a person
    should be told at, each once.
    """

    action: Action
    why: str = ""
    reuse: bool = False
    wait: timedelta | None = None
    findings: tuple[Finding, ...] = field(default=())
    alarm: str = ""


def decide(look: Look, journal: Journal, policy: Policy, now: datetime) -> Decision:
    """The decision for one host at one moment."""
    return replace(_decided(look, journal, policy, now), alarm=_step(look.current, now) if look.current else "")


def _decided(look: Look, journal: Journal, policy: Policy, now: datetime) -> Decision:
    found = tuple(alarms(look, journal, now))
    reuse = _stuck(look, now)
    why = "its turn does not come, and the served one ends soon" if reuse else due(look, policy, now)
    if why:
        left = patience(look, journal, policy, now)
        if left:
            return Decision(Action.LATER, f"{why}; {_last(journal)}", reuse, left, found)
        return Decision(Action.ORDER, why, reuse, None, found)
    if look.next:
        return Decision(Action.WAIT if look.served else Action.SWITCH, findings=found)
    point = renewal(look, policy)
    return Decision(Action.NONE, wait=max(point - now, NOTHING) if point else None, findings=found)


def due(look: Look, policy: Policy, now: datetime) -> str:
    """Why a certificate is due; "" when none is."""
    chain = look.latest
    if chain is None:
        return "there is no certificate yet"
    if policy.force:
        return "somebody asks for it"
    missing = [name for name in look.names if not chain.covers(name)]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        return f"it is not for {missing[0]}{more}"
    if now >= chain.not_after:
        return f"it ended on {chain.not_after:%Y-%m-%d}"
    point = renewal(look, policy)
    if point is None or now < point:
        return ""
    advised = look.window is not None and now >= _in_window(look, look.window)
    return "the authority says it is time" if advised else f"it ends on {chain.not_after:%Y-%m-%d}"


def renewal(look: Look, policy: Policy) -> datetime | None:
    """From when on the latest certificate is renewed; None without one."""
    chain = look.latest
    if chain is None:
        return None
    life = _life(chain)
    if look.window is None or not _sane(look.window, chain):
        before = min(policy.renew_before, life / 3) + share(look.host) * (life / SPREAD)
        return chain.not_after - before
    earliest = chain.not_before + min(DAY, life / LATEST)
    return max(earliest, min(_in_window(look, look.window), chain.not_after - life / LATEST))


def share(host: str, salt: str = "") -> float:
    """The host's own point between 0 and 1."""
    return int.from_bytes(hashlib.sha256(f"{host} {salt}".encode()).digest()[:4], "big") / 2**32


def _in_window(look: Look, window: Window) -> datetime:
    """RFC 9773 4.2: one point in it, always the same for us, so that a run a hour finds it again."""
    return window.start + share(look.host, window.start.isoformat()) * (window.end - window.start)


def _sane(window: Window, chain: Chain) -> bool:
    return window.start < window.end and window.start < chain.not_after


def _life(chain: Chain) -> timedelta:
    return max(chain.not_after - chain.not_before, timedelta(seconds=1))


def _stuck(look: Look, now: datetime) -> bool:
    """Whether the served certificate is about to end while the next one waits for its turn."""
    if look.current is None or look.next is None:
        return False
    return look.current.not_after - now <= min(timedelta(days=7), _life(look.current) / LATEST)


# after failures


def patience(look: Look, journal: Journal, policy: Policy, now: datetime) -> timedelta:
    """How long no try may be made yet."""
    tries = [when for when in journal.tries if now - HOUR < when <= now]
    full = tries[-MOST_AN_HOUR] + HOUR - now if len(tries) >= MOST_AN_HOUR else NOTHING
    asked = _until(journal.not_before, journal.failed, now)
    gap = NOTHING if policy.force else _until(_after_failure(look.host, journal), journal.failed, now)
    return max(full, asked, gap, NOTHING)


def _until(moment: datetime | None, failed: datetime | None, now: datetime) -> timedelta:
    """The rest of a wait that began at a failure; none when the failure lies in the future: the clock was set back."""
    if moment is None or failed is None or failed > now:
        return NOTHING
    return moment - now


def _after_failure(host: str, journal: Journal) -> datetime | None:
    """5, 10, 20 ... minutes after the last failure, up to six hours, and a fifth more at random."""
    if journal.failed is None or not journal.failures:
        return None
    gap = min(FIRST_GAP * (1 << min(journal.failures - 1, 10)), LARGEST_GAP)
    return journal.failed + gap * (1 + share(host, str(journal.failures)) / 5)


def _last(journal: Journal) -> str:
    times = "once" if journal.failures == 1 else f"{journal.failures} times"
    return f"failed {times}, last: {journal.why}" if journal.failures else "too many tries in an hour"


# alarms


def alarms(look: Look, journal: Journal, now: datetime) -> list[Finding]:
    """What a person should know: few days left (P-20), and why nothing could be done about it."""
    found = []
    if look.current and (left := _few_left(look.current, now)):
        why = f"; {_last(journal)}" if journal.failures else ""
        waits = "; the next one waits for its TLSA records" if look.next else ""
        advice = "see `mailsrv tlsa show`" if look.next and not journal.failures else "see `mailsrv cert issue`"
        found.append(Finding(f"the certificate of {look.host} {left}{why}{waits}", advice))
    elif journal.failures:
        what = f"{look.host}: no certificate was issued, {_last(journal)}"
        missed = look.current is None and journal.failures >= PATIENCE
        found.append(Finding(what, journal.advice, trouble=journal.person or missed))
    return found


def _few_left(chain: Chain, now: datetime) -> str:
    """`has less than 7 days left`; "" while there is time."""
    step = _step(chain, now)
    return (
        f"{ENDED} on {chain.not_after:%Y-%m-%d %H:%M} UTC" if step == ENDED else step and f"has less than {step} left"
    )


def _step(chain: Chain, now: datetime) -> str:
    """`7 days`, `ended`; "" while there is time."""
    left, life = chain.not_after - now, _life(chain)
    if left <= NOTHING:
        return ENDED
    spans = (min(timedelta(days=days), life / part) for days, part in ALARMS)
    return next((_spoken(span) for span in spans if left <= span), "")


def _spoken(span: timedelta) -> str:
    hours = span // HOUR
    return f"{span.days} days" if span >= 2 * DAY else f"{hours} hours"
