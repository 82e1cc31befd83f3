"""What we answer: a code, an enhanced status code and a sentence. Pure.

    Reply(550, "5.1.1", "nobody here has this address")  ->  550 5.1.1 nobody here has this address

Standards: RFC 5321 4.2 (replies), RFC 2034 and RFC 3463 (enhanced codes), RFC 3207, 3030, 4954, 8689, 9422 where a line says so.
No answer holds what a peer could not know already: no path, no exception, no name of another user.
Fails by: nothing; what does not fit into a line goes into the next, what a terminal would act on is escaped.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import lru_cache

from dnsops.base.errors import Deliberate
from dnsops.base.printable import printable

LONGEST_LINE = 480  # RFC 5321 4.5.3.1.5: 512 octets with the line end; codes and slack taken off
MOST_LINES = 20


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `enhanced` "" for those that carry none: greeting, HELO, EHLO, 334, 354. Lines are parted by \\n."""

    code: int
    enhanced: str
    text: str

    def __bytes__(self) -> bytes:
        return _wire(self)

    @property
    def refuses(self) -> bool:
        return self.code >= 400


class Refused(Deliberate):
    """Refusing is an answer: the reply to the command that was asked."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        self.reply = reply

    def __str__(self) -> str:
        return f"{self.reply.code} {self.reply.enhanced} {self.reply.text}"


@lru_cache(maxsize=512)
def _wire(reply: Reply) -> bytes:
    """The octets of a reply; several lines where the text has them or is too long for one."""
    lines = [piece for line in reply.text.split("\n") for piece in _pieces(line)][:MOST_LINES]
    status = f"{reply.enhanced} " if reply.enhanced else ""
    last = len(lines) - 1
    out = [f"{reply.code}{' ' if at == last else '-'}{status}{line}\r\n" for at, line in enumerate(lines)]
    return "".join(out).encode("ascii", "backslashreplace")


def _pieces(line: str) -> list[str]:
    if len(line) <= LONGEST_LINE and line.isascii() and line.isprintable():  # nearly always
        return [line]
    line = printable(line).encode("ascii", "backslashreplace").decode()
    return textwrap.wrap(line, LONGEST_LINE) or [""]


OK = Reply(250, "2.0.0", "ok")
SENDER_OK = Reply(250, "2.1.0", "sender ok")
RECIPIENT_OK = Reply(250, "2.1.5", "recipient ok")
BYE = Reply(221, "2.0.0", "goodbye")
HELP = Reply(214, "2.0.0", "RFC 5321 says it all")
GO_AHEAD = Reply(354, "", "send the message, end it with a line of one dot")
READY_FOR_TLS = Reply(220, "2.0.0", "ready for TLS")
WELCOME = Reply(235, "2.7.0", "welcome")
PERHAPS = Reply(252, "2.1.5", "send it, and we shall see")  # RFC 5321 7.3: VRFY that tells nothing

LOCAL_TROUBLE = Reply(451, "4.3.0", "trouble on our side, try again later")
DISK_TROUBLE = Reply(451, "4.3.0", "we cannot store the message now, try again later")
DIRECTORY_TROUBLE = Reply(451, "4.3.0", "we cannot look up this address now, try again later")
OUR_FAULT = Reply(421, "4.3.0", "trouble on our side, goodbye")
NO_LONGER_YOU = Reply(421, "4.7.0", "your login is no longer valid, log in again")
SHUTTING_DOWN = Reply(421, "4.3.2", "we are closing, try again soon")
IDLE = Reply(421, "4.4.2", "too long without a word, goodbye")
TOO_SLOW = Reply(421, "4.4.2", "this takes too long, goodbye")
TOO_MANY_ERRORS = Reply(421, "4.7.0", "too many errors, goodbye")
TOO_MUCH_JUNK = Reply(421, "4.7.0", "too many commands that bring no mail, goodbye")
TOO_MANY_MESSAGES = Reply(421, "4.7.0", "enough messages for one session, goodbye")
TOO_MANY_LOGINS = Reply(421, "4.7.0", "too many failed logins, goodbye")
TOO_MANY_HERE = Reply(421, "4.7.0", "too many connections from your network, try again later")
TOO_OFTEN = Reply(421, "4.7.0", "too many new connections from your network, try again later")
TOO_MANY_ALL = Reply(421, "4.3.2", "too many connections, try again later")
AFTER_BAD_ENDS = Reply(421, "4.7.0", "nothing more after a message with broken line ends, goodbye")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "too many recipients, send the rest in another message")
MISCONFIGURED = Reply(451, "4.3.5", "this address is misconfigured here, try again later")
MAILBOX_FULL = Reply(452, "4.2.2", "the mailbox is full")
TOO_MUCH_BY_ACCOUNT = Reply(450, "4.7.1", "the account has written to too many recipients, go on in an hour")
TLS_NOT_NOW = Reply(454, "4.7.0", "TLS is not available now")
LOGIN_NOT_NOW = Reply(454, "4.7.0", "we cannot check a login now, try again later")

UNKNOWN_COMMAND = Reply(500, "5.5.1", "there is no such command here")
LINE_TOO_LONG = Reply(500, "5.5.2", "this command line is too long")
BAD_OCTETS = Reply(500, "5.5.2", "a command is one line of text that ends in CR LF, without control characters")
NOT_UTF8 = Reply(500, "5.5.2", "this is neither ASCII nor UTF-8")
ARGUMENT_NEEDED = Reply(501, "5.5.4", "something is missing behind the command")
NO_ARGUMENT = Reply(501, "5.5.4", "this command stands alone")
BAD_HELO = Reply(501, "5.5.4", "give a host name or an address literal")
BAD_PATH = Reply(501, "5.5.2", "write the address as <local@domain>")
BAD_PARAMETER = Reply(501, "5.5.4", "a parameter cannot be read")
BAD_BDAT = Reply(501, "5.5.4", "write BDAT SIZE or BDAT SIZE LAST, goodbye")
BAD_BASE64 = Reply(501, "5.5.2", "this is not base64")
CANCELLED = Reply(501, "5.7.0", "login cancelled")
TOKEN_TOO_LONG = Reply(500, "5.5.6", "this login line is too long")  # RFC 4954 6
NOT_HERE = Reply(502, "5.5.1", "not offered here")
NO_EXPN = Reply(502, "5.5.1", "lists are not told")
HELO_FIRST = Reply(503, "5.5.1", "say EHLO first")
MAIL_FIRST = Reply(503, "5.5.1", "say MAIL FROM first")
RECIPIENT_FIRST = Reply(503, "5.5.1", "no recipient was accepted")
ONE_AT_A_TIME = Reply(503, "5.5.1", "a message is under way; finish it or say RSET")
IN_BDAT = Reply(503, "5.5.1", "the message comes by BDAT; go on with BDAT or say RSET")
ALREADY_TLS = Reply(503, "5.5.1", "TLS is on already")
ALREADY_IN = Reply(503, "5.5.1", "you are logged in already")
UNKNOWN_MECHANISM = Reply(504, "5.5.4", "there is no such mechanism here")
LOGIN_FIRST = Reply(530, "5.7.0", "log in first")
TLS_FIRST = Reply(530, "5.7.0", "say STARTTLS first")
WRONG_LOGIN = Reply(535, "5.7.8", "wrong name or password")
TLS_FOR_LOGIN = Reply(538, "5.7.11", "a login needs TLS: say STARTTLS first")
NOBODY = Reply(550, "5.1.1", "nobody here has this address")
NO_RELAY = Reply(550, "5.7.1", "we do not carry mail for others to this domain")
NO_LITERAL = Reply(550, "5.1.2", "we do not carry mail to address literals")
BROKEN_ENDS = Reply(550, "5.6.11", "the message has a CR or LF that is not part of CR LF")  # RFC 5321 2.3.8
UTF8_UNASKED = Reply(553, "5.6.7", "this address needs SMTPUTF8")  # RFC 6531 3.2
BAD_SENDER = Reply(553, "5.1.7", "this is no sender's address")
BAD_RECIPIENT = Reply(553, "5.1.3", "this is no recipient's address")
NULL_RECIPIENT = Reply(553, "5.1.3", "the empty path receives no mail")
TOO_BIG = Reply(552, "5.3.4", "the message is larger than we take")
TOO_BIG_FOR_MAILBOX = Reply(552, "5.2.3", "the message is larger than the whole mailbox may be")
LINE_TOO_LONG_IN_DATA = Reply(554, "5.6.0", "a line of the message is too long")
NUL_IN_DATA = Reply(554, "5.6.0", "the message holds a NUL, which cannot be sent on")
BAD_HEADER = Reply(554, "5.6.0", "the header of the message is larger than we can check")
LOOP = Reply(554, "5.4.6", "the message goes round in circles")
NO_MAIL_HERE = Reply(554, "5.5.1", "this is no HTTP server, goodbye")
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "a parameter is not known here")


def later(reason: str) -> Reply:
    """A temporary refusal with a reason of ours."""
    return Reply(451, "4.3.0", f"{reason}, try again later")


def not_allowed(why: str) -> Reply:
    """A sender right that is missing; `why` says what would be allowed."""
    return Reply(550, "5.7.1", why)


def challenge(text: str) -> Reply:
    """A SASL challenge, in base64 already (RFC 4954 4)."""
    return Reply(334, "", text)


def octets_taken(count: int) -> Reply:
    """RFC 3030 2."""
    return Reply(250, "2.0.0", f"{count} octets received")


def stored(queue_id: str) -> Reply:
    """The message is safe: said after the fsync, never before."""
    return Reply(250, "2.6.0", f"stored as {queue_id}")
