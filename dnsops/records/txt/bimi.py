"""BIMI: the picture that mail programs may show beside a domain's mail; read and written. Pure.

    Bimi.parse("v=BIMI1; l=https://example.org/logo.svg; a=https://example.org/logo.pem")     str(bimi)

Standard: draft-brand-indicators-for-message-identification, section 4.2 (a draft). An empty l= declines to have a picture.
Limits: LONGEST characters. Fails by: `tags.Malformed`, with what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from dnsops.records import names
from dnsops.records.txt import tags
from dnsops.records.txt.tags import Malformed

VERSION = "BIMI1"
LONGEST = 4096
SELECTOR = "default"


@dataclass(frozen=True, slots=True)
class Bimi:
    """location: where the SVG is, "" for none.  authority: where its mark certificate is, "" for none. Both https."""

    location: str
    authority: str = ""

    @classmethod
    def parse(cls, text: str) -> Bimi:
        found = tags.parse(text, LONGEST)
        if next(iter(found.items()), None) != ("v", VERSION):
            raise Malformed(f"not a BIMI record: it begins with v={VERSION}")
        if "l" not in found:
            raise Malformed("not a BIMI record: it has no l=")
        return cls(_address("l", found["l"]), _address("a", found.get("a", "")))

    def __str__(self) -> str:
        authority = [("a", self.authority)] if self.authority else []
        return tags.write([("v", VERSION), ("l", self.location), *authority])


def owner(domain: str, selector: str = SELECTOR) -> str:
    """Where the record stands."""
    return names.canonical(f"{selector}._bimi.{domain}")


def _address(tag: str, value: str) -> str:
    if value and not value.lower().startswith("https://"):
        raise Malformed(f"{tag}= is no https address: {value[:80]!r}")
    if any(character.isspace() for character in value):
        raise Malformed(f"a blank in {tag}=: {value[:80]!r}")
    return value
