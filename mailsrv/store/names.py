"""Names of mailboxes: what is one, what lies above and below it (RFC 9051 5.1). Pure.

Fails by: `Cannot`, saying why a name is none.
"""

from __future__ import annotations

from mailsrv.store.door import Cannot

INBOX = "INBOX"
SEPARATOR = "/"
LONGEST = 1000  # bytes of UTF-8
DEEPEST = 50  # levels
MOST_MAILBOXES = 10_000  # of an account, its subscriptions alike
MOST_ENTRIES = 1000  # of metadata, for an account (RFC 5464)
LARGEST_ENTRY = 65_536  # bytes of its name and value
HIGHEST_UID = 5_000_000  # that is taken over from elsewhere: UIDs that went are told one by one (RFC 7162 3.2.5.1)
HIGHEST_UIDVALIDITY = (1 << 32) - (1 << 24)  # that is taken over: those of new mailboxes are higher still

# RFC 6154: what a new account has besides its INBOX
SPECIAL = {
    "Drafts": "\\Drafts",
    "Sent": "\\Sent",
    "Junk": "\\Junk",
    "Trash": "\\Trash",
    "Archive": "\\Archive",
}


def proper(name: str) -> str:
    """The name as it is kept: INBOX in capitals, also above others; no separator at its end."""
    levels = name.removesuffix(SEPARATOR).split(SEPARATOR)
    if len(name.encode("utf-8", "surrogatepass")) > LONGEST or len(levels) > DEEPEST:
        raise Cannot(f"the name is longer than {LONGEST} bytes or deeper than {DEEPEST} levels")
    if not all(levels):
        raise Cannot("a level of the name is empty")
    if not all(_plain(character) for character in name):
        raise Cannot("the name has control characters")
    if levels[0].upper() == INBOX:
        levels[0] = INBOX
    return SEPARATOR.join(levels)


def above(name: str) -> list[str]:
    """The mailboxes that hold this one, the outermost first."""
    levels = name.split(SEPARATOR)
    return [SEPARATOR.join(levels[:count]) for count in range(1, len(levels))]


def below(name: str, top: str) -> bool:
    """Whether a mailbox is inside another."""
    return name.startswith(top + SEPARATOR)


def moved(name: str, old: str, new: str) -> str:
    """What a name becomes when `old`, at or above it, is renamed."""
    return proper(new + name[len(old) :])


def adoptable(name: str, uidvalidity: int, uidnext: int) -> None:
    """Whether numbers of another server can be ours."""
    if not (0 < uidvalidity <= HIGHEST_UIDVALIDITY and 0 < uidnext <= HIGHEST_UID + 1):
        raise Cannot(f"the numbers {uidvalidity} and {uidnext} of {name} leave no room for more")


def _plain(character: str) -> bool:
    # RFC 5198: no C0, no C1, no line or paragraph separator; and no half of a surrogate pair
    return not (
        character < " "
        or "\x7f" <= character <= "\x9f"
        or character in "\u2028\u2029"
        or "\ud800" <= character <= "\udfff"
    )
