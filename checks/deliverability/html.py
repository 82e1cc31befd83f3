"""An HTML page as a filter sees it: tags, links with their texts, pictures, words. Pure, and linear in the page's length.

Standard: HTML 13.1 as far as mail needs it. Each alternative of a pattern takes what it began with up to the end of the text, so
that no input is looked at twice. Limits: LINKS links, TAGS tags; what lies beyond is not looked at. Never fails.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from mailsrv.message.reading import stripped

LINKS, TAGS, LONGEST = 500, 50_000, 4096
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9:-]*+)((?:[^>\"']++|\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))*+)(?:>|\Z)", re.DOTALL
)
_ATTRIBUTE = re.compile(
    r"(?<![A-Za-z0-9:_-])([A-Za-z][A-Za-z0-9:_-]{0,60}+)(?![A-Za-z0-9:_-])"
    r"(?:\s*+=\s*+(?:\"([^\"]*+)(?:\"|\Z)|'([^']*+)(?:'|\Z)|([^\s\"'>]++)))?+",
    re.DOTALL,
)
ACTING = {"script", "iframe", "frame", "object", "embed", "applet", "form", "base", "audio", "video", "svg"}


@dataclass(frozen=True, slots=True)
class Tag:
    """name: lower case.  at, end: where it stands.  attributes: names in lower case; references resolved."""

    name: str
    closing: bool
    attributes: Mapping[str, str]
    at: int
    end: int


@dataclass(frozen=True, slots=True)
class Link:
    """Where it goes, and what is written on it."""

    target: str
    text: str


@dataclass(frozen=True)
class Page:
    source: str

    @cached_property
    def text(self) -> str:
        return stripped(self.source)

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        return tuple(_tags(_COMMENT.sub(lambda found: " " * len(found[0]), self.source)))

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Of a and area, in order."""
        return tuple(self._links())[:LINKS]

    @property
    def pictures(self) -> tuple[Tag, ...]:
        return tuple(tag for tag in self.tags if tag.name == "img" and not tag.closing)

    @property
    def acting(self) -> list[str]:
        """What does something by itself, as it would be said."""
        return sorted({said for tag in self.tags if not tag.closing for said in _acting(tag)})

    @property
    def hidden(self) -> bool:
        """Whether a style hides text, as spammers do to please filters. A short preview text is hidden by many; not counted."""
        styles = (tag.attributes.get("style", "").replace(" ", "").lower() for tag in self.tags)
        return any("font-size:0" in style and "display:none" not in style for style in styles)

    def _links(self) -> Iterator[Link]:
        ends = [tag.at for tag in self.tags if tag.name == "a"] + [len(self.source)]
        place = 0
        for tag in self.tags:
            place += tag.name == "a"
            target = tag.attributes.get("href", "").strip()
            if tag.name in ("a", "area") and not tag.closing and target:
                words = self.source[tag.end : min(ends[place], tag.end + LONGEST)] if tag.name == "a" else ""
                yield Link(target, stripped(words))


def _tags(source: str) -> Iterator[Tag]:
    for count, found in enumerate(_TAG.finditer(source)):
        if count >= TAGS:
            return
        yield Tag(found[2].lower(), bool(found[1]), _attributes(found[3]), found.start(), found.end())


def _attributes(text: str) -> dict[str, str]:
    """The first of a name counts (HTML 13.2.5.33)."""
    kept: dict[str, str] = {}
    for found in _ATTRIBUTE.finditer(text):
        value = found[2] or found[3] or found[4] or ""
        kept.setdefault(found[1].lower(), html.unescape(value[:LONGEST]) if "&" in value else value[:LONGEST])
    return kept


def _acting(tag: Tag) -> Iterator[str]:
    if tag.name in ACTING:
        yield f"<{tag.name}>"
    if tag.name == "meta" and tag.attributes.get("http-equiv", "").lower() == "refresh":
        yield "<meta refresh>"
    for name, value in tag.attributes.items():
        if name.startswith("on") and len(name) > 3:
            yield f"the handler {name}"
        elif name in ("href", "src", "action") and value.strip().lower().startswith(("javascript:", "vbscript:")):
            yield f"a script in {name}"
