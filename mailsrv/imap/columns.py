"""FETCH's answers, row by row from columns: what the index and the digests know, without any octets of the mail. Pure.

A row is one `%` of a format that is made once for the command; 50 000 rows of (FLAGS UID) cost what a few list copies do.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from mailsrv.imap import writers
from mailsrv.imap.grammar.dates import date_time
from mailsrv.imap.grammar.fetch import Item, Octets
from mailsrv.imap.view import View
from mailsrv.store.door import email_id

Column = Iterable[object]
PREVIEW_LONGEST = 256  # characters (RFC 8970 3.1)

# what an item needs from the digests
DIGEST = {
    Item.ENVELOPE: ("envelope",),
    Item.BODYSTRUCTURE: ("bodystructure",),
    Item.BODY: ("body",),
    Item.PREVIEW: ("preview",),
    Item.THREADID: ("message_id", "references"),
}
NUMBERS = (Item.UID, Item.SIZE)  # written with %d


@dataclass(frozen=True, slots=True)
class Rows:
    """Messages side by side: sequence numbers, places in the index, and columns of digests by name."""

    numbers: Sequence[int]
    places: Sequence[int]
    digests: Mapping[str, Sequence[object]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.numbers)

    def only(self, kept: Sequence[int]) -> Rows:
        """Those that stand there."""
        digests = {name: [column[at] for at in kept] for name, column in self.digests.items()}
        return Rows([self.numbers[at] for at in kept], [self.places[at] for at in kept], digests)


def beside(rows: Rows, uids: Sequence[int], digests: Mapping[str, Sequence[object]]) -> Rows:
    """Rows with their digests, those left out that lack one of both. `uids`: of the index."""
    there = list(picked(uids, rows.places))
    if list(digests["uid"]) == there:
        return replace(rows, digests=digests)
    at = {uid: place for place, uid in enumerate(digests["uid"])}
    kept = rows.only([place for place, uid in enumerate(there) if uid in at])
    order = [at[uid] for uid in there if uid in at]
    return replace(kept, digests={name: [column[one] for one in order] for name, column in digests.items()})


def row_format(items: Sequence[Item | Octets]) -> bytes:
    """`* %d FETCH (UID %d FLAGS (%b))`"""
    return b"* %d FETCH (" + b" ".join(map(item_format, items)) + b")\r\n"


def item_format(item: Item | Octets) -> bytes:
    if item in NUMBERS:
        return label(item) + b" %d"
    return label(item) + (b" (%d)" if item is Item.MODSEQ else b" %b")


def label(item: Item | Octets) -> bytes:
    name = item.label if isinstance(item, Octets) else item.value.encode("ascii")
    return name.replace(b"%", b"%%")


def digest_fields(items: Sequence[Item | Octets]) -> tuple[str, ...]:
    """The digest's fields that these items need."""
    found = [field for item in items if isinstance(item, Item) for field in DIGEST.get(item, ())]
    if any(isinstance(item, Octets) and not item.whole for item in items):
        found.append("parts")
    return tuple(dict.fromkeys(found))


def index_column(view: View, item: Item, places: Sequence[int]) -> Column:
    """A column from the index, for rows at these places there."""
    return INDEX[item](view, places)


def picked(column: Sequence[int], places: Sequence[int]) -> Sequence[int]:
    if isinstance(places, range):
        return column[places.start : places.stop]
    return [column[at] for at in places]


def flags_column(view: View, places: Sequence[int]) -> Column:
    if view.rev1 and view.recent:
        return [b"(%b)" % view.flags_text(at) for at in places]
    index = view.index
    texts = [b"(%b)" % text for text in index.texts]
    return map(texts.__getitem__, picked(index.flagsets, places))


def email_column(view: View, places: Sequence[int]) -> Column:
    return [b"(%b)" % email_id(blob).encode("ascii") for blob in picked(view.index.blobs, places)]


def saved_column(view: View, places: Sequence[int]) -> Column:
    return [date_time(moment) if moment else b"NIL" for moment in picked(view.index.saved, places)]


INDEX: dict[Item, Callable[[View, Sequence[int]], Column]] = {
    Item.UID: lambda view, places: picked(view.index.uids, places),
    Item.SIZE: lambda view, places: picked(view.index.sizes, places),
    Item.MODSEQ: lambda view, places: picked(view.index.modseqs, places),
    Item.INTERNALDATE: lambda view, places: map(date_time, picked(view.index.dates, places)),
    Item.FLAGS: flags_column,
    Item.EMAILID: email_column,
    Item.SAVEDATE: saved_column,
}


def digest_column(item: Item, digests: Mapping[str, Sequence[object]], utf8: bool) -> Column:
    """A column from the digests."""
    first, *rest = [digests[name] for name in DIGEST[item]]
    if item is Item.PREVIEW:
        return [preview(cast("str", text), utf8) for text in first]
    if item is Item.THREADID:
        pairs = zip(first, rest[0], strict=True)
        return [thread_id(cast("str", one), cast("tuple[str, ...]", references)) for one, references in pairs]
    return first


def preview(text: str, utf8: bool) -> bytes:
    return writers.string(text[:PREVIEW_LONGEST].encode("utf-8", "replace"), utf8)


def thread_id(message_id: str, references: tuple[str, ...]) -> bytes:
    """RFC 8474 5.2: the same for all that go back to one message."""
    root = thread_name(message_id, references)
    return b"(%b)" % root.encode("ascii") if root else b"NIL"


def thread_name(message_id: str, references: tuple[str, ...]) -> str:
    root = references[0] if references else message_id
    if not root:
        return ""
    digest = hashlib.sha256(root.encode("utf-8", "replace")).digest()[:15]
    return "T" + b32encode(digest).decode("ascii").lower()
