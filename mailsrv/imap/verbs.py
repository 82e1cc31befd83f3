"""Every command we know, where it is allowed, and how bytes become one. Pure.

`parse` never raises: what cannot be read is a `Bad`, with the tag to answer and what was expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from mailsrv.imap import limits
from mailsrv.imap.command import ANY, KNOWN, SELECTED, STRANGER, Command, Verb
from mailsrv.imap.commands import (
    append,
    compress,
    copy,
    enable,
    expunge,
    idle,
    login,
    metadata,
    namespace,
    notify,
    quota,
    store,
)
from mailsrv.imap.commands.capability import Capability, Noop
from mailsrv.imap.commands.fetch import fetch, uid_fetch
from mailsrv.imap.commands.identify import Id
from mailsrv.imap.commands.list import List, Lsub
from mailsrv.imap.commands.logout import Logout
from mailsrv.imap.commands.mailboxes import Create, Delete, Rename, subscribe, unsubscribe
from mailsrv.imap.commands.search import search, uid_search
from mailsrv.imap.commands.select import close, examine, select, unselect
from mailsrv.imap.commands.sort import sort, uid_sort
from mailsrv.imap.commands.starttls import StartTls
from mailsrv.imap.commands.status import Status
from mailsrv.imap.commands.thread import thread, uid_thread
from mailsrv.imap.grammar.cursor import TAG, Cursor, Unreadable
from mailsrv.imap.grammar.frame import first_word
from mailsrv.imap.replies import Refused, bad

VERBS: dict[str, Verb] = {
    "CAPABILITY": Verb(Capability.read, ANY),
    "NOOP": Verb(Noop.read, ANY),
    "LOGOUT": Verb(Logout.read, ANY),
    "ID": Verb(Id.read, ANY),
    "STARTTLS": Verb(StartTls.read, STRANGER),
    "AUTHENTICATE": Verb(login.Authenticate.read, STRANGER),
    "LOGIN": Verb(login.Login.read, STRANGER),
    "ENABLE": Verb(enable.Enable.read, KNOWN),
    "COMPRESS": Verb(compress.Compress.read, KNOWN),
    "NAMESPACE": Verb(namespace.Namespace.read, KNOWN),
    "SELECT": Verb(select, KNOWN),
    "EXAMINE": Verb(examine, KNOWN),
    "CREATE": Verb(Create.read, KNOWN),
    "DELETE": Verb(Delete.read, KNOWN),
    "RENAME": Verb(Rename.read, KNOWN),
    "SUBSCRIBE": Verb(subscribe, KNOWN),
    "UNSUBSCRIBE": Verb(unsubscribe, KNOWN),
    "LIST": Verb(List.read, KNOWN),
    "LSUB": Verb(Lsub.read, KNOWN),
    "STATUS": Verb(Status.read, KNOWN),
    "APPEND": Verb(append.Append.read, KNOWN),
    "IDLE": Verb(idle.Idle.read, KNOWN),
    "NOTIFY": Verb(notify.Notify.read, KNOWN),
    "GETQUOTA": Verb(quota.GetQuota.read, KNOWN),
    "GETQUOTAROOT": Verb(quota.GetQuotaRoot.read, KNOWN),
    "GETMETADATA": Verb(metadata.GetMetadata.read, KNOWN),
    "SETMETADATA": Verb(metadata.SetMetadata.read, KNOWN),
    "CHECK": Verb(Noop.read, SELECTED),
    "CLOSE": Verb(close, SELECTED),
    "UNSELECT": Verb(unselect, SELECTED),
    "EXPUNGE": Verb(expunge.Expunge.read, SELECTED),
    "SEARCH": Verb(search, SELECTED, renumbers=False),
    "SORT": Verb(sort, SELECTED, renumbers=False),
    "THREAD": Verb(thread, SELECTED, renumbers=False),
    "FETCH": Verb(fetch, SELECTED, renumbers=False),
    "STORE": Verb(store.Store.read, SELECTED, renumbers=False),
    "COPY": Verb(copy.copy, SELECTED),
    "MOVE": Verb(copy.move, SELECTED),
    "REPLACE": Verb(append.replace, SELECTED),
    "UID EXPUNGE": Verb(expunge.Expunge.read_uid, SELECTED),
    "UID SEARCH": Verb(uid_search, SELECTED),
    "UID SORT": Verb(uid_sort, SELECTED),
    "UID THREAD": Verb(uid_thread, SELECTED),
    "UID FETCH": Verb(uid_fetch, SELECTED),
    "UID STORE": Verb(partial(store.Store.read, uid=True), SELECTED),
    "UID COPY": Verb(copy.uid_copy, SELECTED),
    "UID MOVE": Verb(copy.uid_move, SELECTED),
    "UID REPLACE": Verb(append.uid_replace, SELECTED),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A command of the client, understood."""

    tag: bytes
    verb: Verb
    command: Command


@dataclass(frozen=True, slots=True)
class Bad:
    """A command that is none; `refused` is the answer."""

    tag: bytes
    refused: Refused


def parse(data: bytes, utf8: bool = False) -> Asked | Bad:
    """One whole command, literals in place."""
    tag = first_word(data)
    try:
        return understood(Cursor(data, utf8))
    except Unreadable as error:
        return Bad(tag, bad(str(error)))
    except Refused as refused:
        return Bad(tag, refused)


def understood(cursor: Cursor) -> Asked:
    tag = cursor.take(TAG, "a tag")
    if len(tag) > limits.TAG:
        raise Unreadable("the tag is too long")
    cursor.space()
    name = cursor.word()
    if name == "UID":
        cursor.space()
        name = f"UID {cursor.word()}"
    verb = VERBS.get(name)
    if verb is None:
        raise Unreadable("there is no such command")
    command = verb.read(cursor)
    cursor.end()
    return Asked(tag, verb, command)
