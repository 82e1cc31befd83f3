"""What a message says, as text: for the search index, and its beginning for PREVIEW. Pure.

Standards: RFC 8970 (PREVIEW), RFC 2045 6 (encodings), HTML as far as its tags must go.
Text parts in order (plain and HTML ones, those of messages inside too), then the names of attached files.
Limits: `limits.TEXT` characters, `limits.SOURCE` bytes of a part, `limits.PREVIEW` characters. Never fails.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from mailsrv.message import charsets, limits, parameters, transfer, words
from mailsrv.message.scan import Part

# each alternative takes what it began with up to the end of the text, if need be: no input is looked at twice
_UNSEEN = re.compile(r"<(script|style|title)\b.*?(?:</\1\s*+>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_INLINE = re.compile(
    r"</?(?:a|abbr|b|big|code|em|font|i|ins|mark|s|small|span|strong|sub|sup|tt|u|wbr)(?:\s[^<>]*+)?+>", re.IGNORECASE
)
_TAG = re.compile(r"</?[a-z!?][^>]*+(?:>|\Z)", re.IGNORECASE)
_ENDLESS_REFERENCE = re.compile(r"&#[0-9]{9,}+;?|&#x[0-9a-f]{8,}+;?", re.IGNORECASE)  # html.unescape makes an int of it
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
_CONTROL = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127], " ")
_QUOTED = re.compile(r"^>[^\n]*+\n?", re.MULTILINE)
_SIGNATURE = re.compile(r"\n-- \r?\n")


def read(message: Part) -> tuple[str, str]:
    """The text to index, and the preview."""
    pieces: list[str] = []
    preview = ""
    room = limits.TEXT
    for part in message.leaves():
        if part.media.type != b"TEXT" or room <= 0:
            continue
        piece = _text(part, room)
        if not preview and not _attached(part):
            preview = shortened(piece)
        pieces.append(piece)
        room -= len(piece) + 1
    names = list(_names(message)) if message.children else []
    return "\n".join([*pieces, *names])[: limits.TEXT], preview


def _text(part: Part, most: int) -> str:
    """The beginning of a text part."""
    is_html = part.media.subtype == b"HTML"
    source = part.header.content[part.body : min(part.end, part.body + (limits.SOURCE if is_html else most * 4))]
    content = transfer.decoded(part.encoding, source)
    charset = part.media.get(b"CHARSET").decode("ascii", "replace").strip().lower()
    text = charsets.text(source if content is None else content, charset)
    if is_html:
        text = stripped(text)
    elif part.media.get(b"FORMAT").lower() == b"flowed":
        text = text.replace(" \r\n", " ")
    return text[:most]


def stripped(source: str) -> str:
    """HTML without its tags, in linear time."""
    text = _TAG.sub(" ", _INLINE.sub("", _UNSEEN.sub(" ", source)))
    if "&" in text:
        text = html.unescape(_ENDLESS_REFERENCE.sub(" ", text))
    return charsets.clean(" ".join(text.split()))


def shortened(text: str) -> str:
    """What a list of messages shows: no quotations, no signature, one blank between words."""
    source, text = text, text[: 4 * limits.PREVIEW]
    if ">" in text:
        text = _QUOTED.sub("", source[: 16 * limits.PREVIEW]) or text
    if "\n-- " in text:
        text = _SIGNATURE.split(text)[0] or text
    visible = text if text.isascii() else text.translate(_INVISIBLE)
    words = " ".join(visible[: limits.PREVIEW * 5 // 4].split())  # enough, where blanks are not many
    if len(words) < limits.PREVIEW:
        words = " ".join(visible.split())
    words = words[: limits.PREVIEW]
    return words.rstrip() if words.isprintable() else words.translate(_CONTROL).rstrip()


def _attached(part: Part) -> bool:
    word = parameters.disposition(part.header.first(b"content-disposition"))
    return word is not None and word[0] == b"ATTACHMENT"


def _names(message: Part) -> Iterator[str]:
    """Names of attached files."""
    found = 0
    for part in message.leaves():
        word = parameters.disposition(part.header.first(b"content-disposition"))
        name = (parameters.get(word[1], b"FILENAME") if word else b"") or part.media.get(b"NAME")
        if name and found < limits.NAMES:
            found += 1
            yield words.text(name)
