"""What may stand behind the path of MAIL FROM and RCPT TO. Pure.

    SIZE=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ314159 AUTH=<> REQUIRETLS        of MAIL FROM
    NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob@example.org                                  of RCPT TO

Standards: RFC 5321 4.1.2 (form), RFC 1870 (SIZE), 6152 (BODY), 6531 (SMTPUTF8), 3461 (RET, ENVID, NOTIFY, ORCPT), 4954 5 (AUTH),
8689 (REQUIRETLS). Keywords have no case, values keep theirs. BINARYMIME is not offered, and so not taken.
Limits: 20 parameters, each once; ENVID 100 octets, ORCPT 500. Fails by: `Refused`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from mailsrv.smtp.grammar import address
from mailsrv.smtp.replies import BAD_PARAMETER, TOO_BIG, UNKNOWN_PARAMETER, Refused

MOST = 20
LONGEST_ENVID, LONGEST_ORCPT = 100, 500  # RFC 3461 4.4, 4.2
LONGEST_SIZE = 20  # digits, RFC 1870 3
_FORM = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\U0010ffff]+))?")
_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_ORCPT = re.compile(r"([A-Za-z0-9.-]+);(.+)")


class Body(Enum):
    """BODY=."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT = "8BITMIME"


@dataclass(frozen=True, slots=True)
class MailOptions:
    """The parameters of MAIL FROM. envid and auth as they came, in xtext."""

    size: int = 0
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    ret: str = ""
    envid: str = ""
    auth: str = ""
    requiretls: bool = False

    def words(self) -> tuple[str, ...]:
        """Those that travel with the message, spelled as MAIL FROM would have them."""
        pairs = (
            ("BODY=8BITMIME", self.body is Body.EIGHT_BIT),
            ("SMTPUTF8", self.smtputf8),
            (f"RET={self.ret}", self.ret),
            (f"ENVID={self.envid}", self.envid),
            ("REQUIRETLS", self.requiretls),
        )
        return tuple(word for word, given in pairs if given)


@dataclass(frozen=True, slots=True)
class RcptOptions:
    """The parameters of RCPT TO. notify: NEVER, or some of SUCCESS, FAILURE, DELAY; orcpt: type;address in xtext."""

    notify: tuple[str, ...] = ()
    orcpt: str = ""

    def words(self) -> tuple[str, ...]:
        """Spelled as RCPT TO would have them."""
        notify = (f"NOTIFY={','.join(self.notify)}",) if self.notify else ()
        return (*notify, f"ORCPT={self.orcpt}") if self.orcpt else notify


NO_MAIL_OPTIONS, NO_RCPT_OPTIONS = MailOptions(), RcptOptions()


def mail_options(text: str, largest: int = 0) -> MailOptions:
    """Those of MAIL FROM. `largest`: the size that is taken, 0 for any."""
    if not text:
        return NO_MAIL_OPTIONS
    options = MailOptions(**_read(text, _MAIL))  # type: ignore[arg-type]
    if largest and options.size > largest:
        raise Refused(TOO_BIG)
    return options


def rcpt_options(text: str) -> RcptOptions:
    """Those of RCPT TO."""
    return RcptOptions(**_read(text, _RCPT)) if text else NO_RCPT_OPTIONS  # type: ignore[arg-type]


def _read(text: str, table: dict[str, Callable[[str | None], object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    words = [word for word in text.split(" ") if word]
    if len(words) > MOST:
        raise Refused(BAD_PARAMETER)
    for word in words:
        form = _FORM.fullmatch(word)
        if form is None:
            raise Refused(BAD_PARAMETER)
        keyword = form[1].upper()
        if keyword not in table:
            raise Refused(UNKNOWN_PARAMETER)
        if keyword.lower() in found:
            raise Refused(BAD_PARAMETER)
        found[keyword.lower()] = table[keyword](form[2])
    return found


def _size(value: str | None) -> int:
    if value is None or len(value) > LONGEST_SIZE or not (value.isascii() and value.isdigit()):
        raise Refused(BAD_PARAMETER)
    return int(value)


def _body(value: str | None) -> Body:
    try:
        return Body((value or "").upper())
    except ValueError:
        raise Refused(BAD_PARAMETER) from None


def _flag(value: str | None) -> bool:
    if value is not None:
        raise Refused(BAD_PARAMETER)
    return True


def _ret(value: str | None) -> str:
    if (value or "").upper() not in ("FULL", "HDRS"):
        raise Refused(BAD_PARAMETER)
    return (value or "").upper()


def _xtext(value: str | None, longest: int) -> str:
    if not value or len(value) > longest or not _XTEXT.fullmatch(value):
        raise Refused(BAD_PARAMETER)
    return value


def _envid(value: str | None) -> str:
    return _xtext(value, LONGEST_ENVID)


def _auth(value: str | None) -> str:
    """RFC 4954 5: <> or a mailbox in xtext. Nobody is trusted to say it, so it is read and not passed on."""
    if value == "<>":
        return value
    if address(unxtext(_xtext(value, LONGEST_ORCPT))) is None:
        raise Refused(BAD_PARAMETER)
    return value or ""


def _notify(value: str | None) -> tuple[str, ...]:
    words = tuple((value or "").upper().split(","))
    known = len(set(words)) == len(words) and set(words) <= {"SUCCESS", "FAILURE", "DELAY"}
    if not known and words != ("NEVER",):
        raise Refused(BAD_PARAMETER)
    return words


def _orcpt(value: str | None) -> str:
    """RFC 3461 4.2; with type utf-8 the address may be UTF-8 (RFC 6533 3)."""
    form = _ORCPT.fullmatch(value or "")
    if value is None or form is None or len(value.encode(errors="replace")) > LONGEST_ORCPT:
        raise Refused(BAD_PARAMETER)
    if form[1].lower() != "utf-8" and not _XTEXT.fullmatch(form[2]):
        raise Refused(BAD_PARAMETER)
    return value


def unxtext(value: str) -> str:
    """RFC 3461 4: +41 is A."""
    return re.sub(r"\+([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), value)


_MAIL: dict[str, Callable[[str | None], object]] = {
    "SIZE": _size,
    "BODY": _body,
    "SMTPUTF8": _flag,
    "RET": _ret,
    "ENVID": _envid,
    "AUTH": _auth,
    "REQUIRETLS": _flag,
}
_RCPT: dict[str, Callable[[str | None], object]] = {"NOTIFY": _notify, "ORCPT": _orcpt}
