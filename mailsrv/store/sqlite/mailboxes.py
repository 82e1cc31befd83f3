"""Accounts and their mailboxes: made, renamed, deleted, subscribed, described.

Standards: RFC 9051 6.3, RFC 6154 (special use), RFC 5464 (metadata).
Fails by: `Absent`, `Exists`, `Cannot`, `Full`.
"""

from __future__ import annotations

from mailsrv.store.door import Absent, Cannot, Exists, Full
from mailsrv.store.names import (
    INBOX,
    LARGEST_ENTRY,
    MOST_ENTRIES,
    MOST_MAILBOXES,
    SPECIAL,
    above,
    adoptable,
    below,
    moved,
    proper,
)
from mailsrv.store.sqlite import ledger
from mailsrv.store.sqlite.ledger import KEPT, Box, Kept
from mailsrv.store.sqlite.messages import drop, move
from mailsrv.store.sqlite.work import Work

_FORGET = (
    "DELETE FROM keyword WHERE mailbox = ?",
    "DELETE FROM expunged WHERE mailbox = ?",
    "DELETE FROM metadata WHERE mailbox = ?",
    "DELETE FROM mailbox WHERE id = ?",
)
_FORGET_ACCOUNT = (
    "DELETE FROM subscription WHERE account = ?",
    "DELETE FROM metadata WHERE account = ?",
    "DELETE FROM account WHERE id = ?",
)


def account(work: Work, name: str, size_limit: int | None, message_limit: int | None) -> None:
    """An account with what belongs to a new one."""
    known = work.first("SELECT size_limit, message_limit FROM account WHERE name = ?", name)
    if known == (size_limit, message_limit):
        return
    if known is None:
        work.run("INSERT INTO account (name) VALUES (?)", name)
        for mailbox, special in {INBOX: "", **SPECIAL}.items():
            create(work, name, mailbox, special)
            subscribe(work, name, mailbox, subscribed=True)
    work.run("UPDATE account SET size_limit = ?, message_limit = ? WHERE name = ?", size_limit, message_limit, name)


def forget(work: Work, account: str) -> None:
    """An account with all that is its own; a new one of that name begins with new UIDVALIDITYs."""
    row = work.first("SELECT id FROM account WHERE name = ?", account)
    if row is None:
        return
    for number, name in _names(work, row[0]):
        source = ledger.named(work, account, name)
        if source is not None:
            drop(work, source, [Kept(*kept) for kept in work.all(KEPT, number)])
        _forget(work, account, number)
    for sql in _FORGET_ACCOUNT:
        work.run(sql, row[0])


def create(work: Work, account: str, name: str, special: str = "") -> int:
    """A mailbox, and the names above it that are needed (RFC 9051 6.3.4), which hold no mail; its number."""
    name, owner = proper(name), ledger.owner(work, account)
    known = ledger.named(work, account, name)
    if known and known.selectable:
        raise Exists(f"there is a mailbox {name} already")
    if known:
        work.run("DELETE FROM mailbox WHERE id = ?", known.id)
    [(count,)] = work.all("SELECT count(*) FROM mailbox WHERE account = ?", owner)
    missing = [upper for upper in above(name) if not ledger.named(work, account, upper)]
    if count + len(missing) >= MOST_MAILBOXES:
        raise Full(f"an account has {MOST_MAILBOXES} mailboxes at most", account)
    for upper in missing:
        _insert(work, owner, account, upper, selectable=False)
    return _insert(work, owner, account, name, special)


def adopt(work: Work, account: str, name: str, uidvalidity: int, uidnext: int) -> None:
    """The mailbox goes on with another server's numbers. As a new one: whoever had it open would keep the old UIDVALIDITY."""
    name = proper(name)
    adoptable(name, uidvalidity, uidnext)
    target = ledger.named(work, account, name)
    if target is None or not target.selectable:
        raise Absent(f"there is no mailbox {name}")
    if target.uidvalidity == uidvalidity:
        work.run("UPDATE mailbox SET uidnext = max(uidnext, ?) WHERE id = ?", uidnext, target.id)
        return
    [(before, special)] = work.all("SELECT uidnext, special FROM mailbox WHERE id = ?", target.id)
    if before != 1:
        raise Cannot(f"{name} has numbers of its own already")
    work.run("UPDATE counter SET value = max(value, ?) WHERE name = 'uidvalidity'", uidvalidity)
    work.run("DELETE FROM mailbox WHERE id = ?", target.id)
    work.happened(account, target.id, "deleted")
    number = _insert(work, target.account, account, name, special)
    work.run("UPDATE mailbox SET uidvalidity = ?, uidnext = ? WHERE id = ?", uidvalidity, uidnext, number)
    work.run("UPDATE metadata SET mailbox = ? WHERE mailbox = ?", number, target.id)


def rename(work: Work, account: str, old: str, new: str) -> None:
    """A mailbox and all below it get other names; the INBOX's messages move and it stays (RFC 9051 6.3.6)."""
    old, new = proper(old), proper(new)
    source = ledger.named(work, account, old)
    if source is None:
        raise Absent(f"there is no mailbox {old}")
    if ledger.named(work, account, new):
        raise Exists(f"there is a mailbox {new} already")
    if new == INBOX or (old != INBOX and below(new, old)):
        raise Cannot("a mailbox cannot be moved there")
    if old == INBOX:
        _empty_inbox(work, source, create(work, account, new))
    else:
        _rename(work, source, new)


def delete(work: Work, account: str, name: str) -> None:
    """A mailbox and its messages; the name stays while there are mailboxes below it."""
    name = proper(name)
    source = ledger.named(work, account, name)
    if source is None:
        raise Absent(f"there is no mailbox {name}")
    if name == INBOX:
        raise Cannot("the INBOX cannot be deleted")
    parent = any(below(other, name) for _, other in _names(work, source.account))
    if parent and not source.selectable:
        raise Cannot(f"there are mailboxes below {name}")
    messages = [Kept(*row) for row in work.all(KEPT, source.id)]
    drop(work, source, messages)
    _forget(work, account, source.id)
    if parent:
        _insert(work, source.account, account, name, selectable=False)
    _prune(work, source.account, account, name)


def _prune(work: Work, owner: int, account: str, name: str) -> None:
    """Names above one that is gone, which were there for its sake only, go too."""
    for upper in reversed(above(name)):
        known = ledger.named(work, account, upper)
        if known is None or known.selectable or any(below(other, upper) for _, other in _names(work, owner)):
            return
        _forget(work, account, known.id)


def _forget(work: Work, account: str, mailbox: int) -> None:
    for sql in _FORGET:
        work.run(sql, mailbox)
    work.happened(account, mailbox, "deleted")


def subscribe(work: Work, account: str, name: str, subscribed: bool) -> None:
    """Remember or forget that a name is wanted."""
    name, owner = proper(name), ledger.owner(work, account)
    if not subscribed:
        work.run("DELETE FROM subscription WHERE account = ? AND name = ?", owner, name)
    else:
        work.run("INSERT OR IGNORE INTO subscription VALUES (?, ?)", owner, name)
        [(count,)] = work.all("SELECT count(*) FROM subscription WHERE account = ?", owner)
        if count > MOST_MAILBOXES:
            raise Full(f"an account has {MOST_MAILBOXES} subscriptions at most", account)
    known = ledger.named(work, account, name)
    work.happened(account, known.id if known else 0, "subscribed")


def metadata(work: Work, account: str, name: str, changes: dict[str, bytes | None]) -> dict[str, bytes]:
    """Entries of a mailbox, or with no name of the account's server; values None go."""
    owner, mailbox = ledger.owner(work, account), 0
    if name:
        known = ledger.named(work, account, proper(name))
        if known is None:
            raise Absent(f"there is no mailbox {name}")
        mailbox = known.id
    for entry, value in changes.items():
        _describe(work, owner, mailbox, entry.lower(), value)
    [(count,)] = work.all("SELECT count(*) FROM metadata WHERE account = ?", owner)
    if count > MOST_ENTRIES:
        raise Full(f"an account has {MOST_ENTRIES} entries of metadata at most", account)
    if changes:
        work.happened(account, mailbox, "metadata")
    return dict(work.all("SELECT entry, value FROM metadata WHERE account = ? AND mailbox = ?", owner, mailbox))


def _describe(work: Work, owner: int, mailbox: int, entry: str, value: bytes | None) -> None:
    if len(entry) + len(value or b"") > LARGEST_ENTRY:
        raise Full(f"an entry of metadata has {LARGEST_ENTRY} bytes at most")
    if value is None:
        work.run("DELETE FROM metadata WHERE account = ? AND mailbox = ? AND entry = ?", owner, mailbox, entry)
    else:
        work.run("INSERT OR REPLACE INTO metadata VALUES (?, ?, ?, ?)", owner, mailbox, entry, value)


def _insert(work: Work, owner: int, account: str, name: str, special: str = "", selectable: bool = True) -> int:
    """UIDVALIDITY: a value of its own for every mailbox that ever was, growing, like the time where that grows too."""
    sql = "UPDATE counter SET value = max(value + 1, ?) WHERE name = 'uidvalidity' RETURNING value"
    [(uidvalidity,)] = work.all(sql, int(work.now.timestamp()))
    sql = "INSERT INTO mailbox (account, name, uidvalidity, special, selectable) VALUES (?, ?, ?, ?, ?)"
    work.run(sql, owner, name, uidvalidity, special, selectable)
    mailbox = work.db.last_insert_rowid()
    work.happened(account, mailbox, "created")
    return mailbox


def _rename(work: Work, source: Box, new: str) -> None:
    for upper in above(new):
        if not ledger.named(work, source.owner, upper):
            _insert(work, source.account, source.owner, upper, selectable=False)
    names = _names(work, source.account)
    moves = {(number, name): moved(name, source.name, new) for number, name in names if _inside(name, source.name)}
    if {name for _, name in names} & set(moves.values()):
        raise Exists(f"there are mailboxes below {new} already")
    for (number, name), after in moves.items():
        work.run("UPDATE mailbox SET name = ? WHERE id = ?", after, number)
        work.run(
            "UPDATE OR REPLACE subscription SET name = ? WHERE account = ? AND name = ?", after, source.account, name
        )
        work.happened(source.owner, number, "renamed")
    _prune(work, source.account, source.owner, source.name)


def _empty_inbox(work: Work, inbox: Box, target: int) -> None:
    uids = [uid for (uid,) in work.all("SELECT uid FROM message WHERE mailbox = ?", inbox.id)]
    move(work, inbox.id, uids, target)


def _names(work: Work, owner: int) -> list[tuple[int, str]]:
    return work.all("SELECT id, name FROM mailbox WHERE account = ?", owner)


def _inside(name: str, top: str) -> bool:
    return name == top or below(name, top)
