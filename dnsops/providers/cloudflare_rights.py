"""What a Cloudflare token may do, found out without doing it: S-CF-01 is said before the first write.

    the token     its own word (user/tokens/verify): not active, or expires soon; and zones that it sees beyond those asked for
    each zone     its records are listed; then a record that cannot exist is "deleted": 403 says no, "no such record" says yes

A token of an account, not of a user, is unknown to `verify` and works all the same: then only its expiry is not known.
Fails by values; `Later` when the API answers neither yes nor no.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from dnsops.base.errors import Later
from dnsops.providers.cloudflare_calls import Calls
from dnsops.providers.cloudflare_errors import Refusal, Verdict
from dnsops.providers.cloudflare_form import Json
from dnsops.providers.door import Access, Grade

NOBODY = "0" * 32  # an identifier that no record has
SOON = timedelta(days=14)
MANAGE = "dash.cloudflare.com/profile/api-tokens"


def of_token(calls: Calls, asked: Collection[str], known: Collection[str], now: datetime) -> tuple[Access, ...]:
    """About the token itself."""
    found = [access for access in (_lifetime(calls, now), _breadth(asked, known)) if access]
    return tuple(found)


def of_zone(calls: Calls, zone: str, identifier: str) -> Access:
    """About one zone. identifier: empty when the token does not see it."""
    if not identifier:
        advice = f"add it to the token's resources at {MANAGE}, or add the domain to the account"
        return Access(zone, Grade.LACKING, "the token does not see this zone", advice)
    try:
        calls.records(identifier, 1, {"type": "MX"})
    except Refusal as error:
        return _refused(error, zone, "the token cannot read its records")
    try:
        calls.batch(identifier, {"deletes": [{"id": NOBODY}]})
    except Refusal as error:
        if error.verdict is Verdict.DENIED:
            return _refused(error, zone, "the token can read its records, and not change them")
        if error.verdict in (Verdict.UNSURE, Verdict.BUSY):
            raise Later(f"Cloudflare: {error.text}") from None
    return Access(zone, Grade.FINE, "the token can read and change its records")


def _refused(error: Refusal, zone: str, what: str) -> Access:
    if error.verdict is not Verdict.DENIED:
        raise Later(f"Cloudflare: {error.text}")
    return Access(zone, Grade.LACKING, f"{what}: {error.text}", f"give it Zone.DNS:Edit at {MANAGE}")


def _lifetime(calls: Calls, now: datetime) -> Access | None:
    """What the token says of itself."""
    try:
        told = calls.verify().get("result")
    except Refusal:  # a token of an account: it has listed zones, so it is one
        return None
    told = told if isinstance(told, dict) else {}
    if told.get("status") not in ("active", None):
        return Access("", Grade.LACKING, f"the token is {told['status']}", f"make a new one at {MANAGE}")
    ends = _ends(told)
    if ends is None or ends - now > SOON:
        return None
    grade, word = (Grade.LACKING, "expired") if ends <= now else (Grade.WIDE, "expires")
    return Access("", grade, f"the token {word} on {ends:%Y-%m-%d}", f"make a new one at {MANAGE}")


def _ends(told: Json) -> datetime | None:
    text = told.get("expires_on")
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None


def _breadth(asked: Collection[str], known: Collection[str]) -> Access | None:
    """Whoever steals the token has all the zones that it sees."""
    others = sorted(set(known) - set(asked))
    if not others:
        return None
    some = ", ".join(others[:3]) + (" ..." if len(others) > 3 else "")
    what = f"the token also sees {len(others)} other zone{'s' * (len(others) > 1)} ({some})"
    return Access("", Grade.WIDE, what, f"make one for the zones that it is used for, at {MANAGE}")
