"""What a peer offers in its reply to EHLO. Pure.

Standards: RFC 5321 4.1.1.1, 1870 (SIZE), 2920 (PIPELINING), 3207, 3461 (DSN), 4954 (AUTH), 6152, 6531, 8689, 9422 (LIMITS).
Fails by: nothing; what cannot be read is not offered.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailsrv.send.reply import Reply

MOST_RECIPIENTS = 100  # RFC 5321 4.5.3.1.8: what every server must take
MOST_MAILS = 100


@dataclass(frozen=True, slots=True)
class Offers:
    """keywords: in upper case, with their parameters."""

    keywords: dict[str, str]

    @classmethod
    def of(cls, reply: Reply) -> Offers:
        """The first line is the greeting; `AUTH=LOGIN`, as some still write it, is AUTH."""
        pairs = [line.strip().partition(" ") for line in reply.lines[1:]]
        keywords = {word.upper(): rest.strip() for word, _, rest in pairs}
        for word in [word for word in keywords if word.startswith("AUTH=")]:
            keywords.setdefault("AUTH", word[5:])
        return cls(keywords)

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    @property
    def size(self) -> int:
        """The largest message it takes; 0 when it does not say (RFC 1870 3)."""
        return _number(self.keywords.get("SIZE", ""), 0)

    @property
    def mechanisms(self) -> frozenset[str]:
        return frozenset(self.keywords.get("AUTH", "").upper().split())

    @property
    def recipients(self) -> int:
        return max(1, min(MOST_RECIPIENTS, self._limit("RCPTMAX", MOST_RECIPIENTS)))

    @property
    def mails(self) -> int:
        """Transactions in one session."""
        return max(1, min(MOST_MAILS, self._limit("MAILMAX", MOST_MAILS)))

    def _limit(self, name: str, default: int) -> int:
        pairs = (word.upper().partition("=") for word in self.keywords.get("LIMITS", "").split())
        return next((_number(value, default) for key, _, value in pairs if key == name), default)


NOTHING = Offers({})


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else default
