"""An SMTP session: what each command does.

Standards: RFC 5321, 2920 (PIPELINING), 3030 (BDAT), 3207 (STARTTLS), 4954 (AUTH) and those that `extensions` lists.
Fails by: a reply; by 421 and hanging up where `limits` says so, and after whatever could be the work of a smuggler.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from dnsops.base.errors import Later
from mailsrv.smtp import replies
from mailsrv.smtp.connection import Connection
from mailsrv.smtp.door import Transaction
from mailsrv.smtp.extensions import offer
from mailsrv.smtp.grammar import forward_path, helo_name, reverse_path
from mailsrv.smtp.inbox import Overflow
from mailsrv.smtp.login import exchange
from mailsrv.smtp.parameters import mail_options, rcpt_options
from mailsrv.smtp.replies import Refused, Reply
from mailsrv.smtp.spool import Spool
from mailsrv.smtp.transfer import Transfer

_ODD = re.compile(rb"[\x00-\x1f\x7f]")
# what a browser would begin with, and what only a listed proxy may (RFC 5321 7.1 knows no such peers)
_STRANGERS = frozenset(b"GET POST PUT HEAD DELETE OPTIONS PATCH TRACE CONNECT PRI PROXY".split())
_BDAT = re.compile(r"([0-9]{1,12})(?: (LAST))?", re.IGNORECASE)


class Session(Connection):
    """A connection on which mail is sent to us."""

    _transaction: Transaction | None = None
    _recipients = 0
    _excess = 0
    _utf8 = False
    _poisoned = False
    _last_words: Reply | None = None

    @property
    def idle(self) -> bool:
        """Between two mails."""
        return self._transaction is None and super().idle

    async def converse(self) -> None:
        self.say(self.house.greeting)
        while not self.over:
            try:
                await self._command(await self.hear())
            except Refused as refused:
                self._refuse(refused.reply)
            except Later as later:
                self._refuse(replies.LOCAL_TROUBLE)
                self.house.log("smtp.later", peer=self.client.address, why=later.reason)
            except Overflow:
                self._end(replies.LINE_TOO_LONG)
        await self.leave(self._last_words)

    def _end(self, reply: Reply) -> None:
        self.over, self._last_words = True, reply

    def _refuse(self, reply: Reply) -> None:
        self.say(reply)
        if reply.code >= 500 and (last := self.spent.error()):
            self._end(last)

    async def _command(self, line: bytes) -> None:
        verb, _, rest = line.partition(b" ")
        verb = verb.upper()
        if self._poisoned and verb != b"QUIT":
            return self._end(replies.AFTER_BAD_ENDS)
        act = VERBS.get(verb)
        if act is None:
            if verb in _STRANGERS:
                return self._end(replies.NO_MAIL_HERE)
            raise Refused(replies.BAD_OCTETS if _ODD.search(line) else replies.UNKNOWN_COMMAND)
        if len(line) > self.limits.of_command(verb):
            raise Refused(replies.LINE_TOO_LONG)
        if _ODD.search(line):
            raise Refused(replies.BAD_OCTETS)
        await act(self, _text(rest))
        return None

    def _bare(self) -> None:
        """One more command that brings no mail."""
        if reply := self.spent.bare_command():
            self._end(reply)

    # the greeting

    async def ehlo(self, text: str) -> None:
        self._hello(text, True)
        login = self.house.mechanisms(self.client)
        starttls = self.house.tls is not None
        self.say(offer(self.house.hostname, self.limits, self.client.tls is not None, starttls, login))
        await self.flush()

    async def helo(self, text: str) -> None:
        self._hello(text, False)
        self.say(Reply(250, "", self.house.hostname))

    def _hello(self, text: str, extended: bool) -> None:
        name = helo_name(text)
        if name is None:
            raise Refused(replies.BAD_HELO)
        self._forget()
        self._bare()
        self.client.helo, self.client.esmtp = name, extended

    async def starttls(self, text: str) -> None:
        if text:
            raise Refused(replies.NO_ARGUMENT)
        if self.client.tls is not None:
            raise Refused(replies.ALREADY_TLS)
        if self.house.tls is None:
            raise Refused(replies.NOT_HERE)
        if not self.client.helo:
            raise Refused(replies.HELO_FIRST)
        self.say(replies.READY_FOR_TLS)
        await self.flush()
        self._forget()
        await self.encrypt()

    async def auth(self, text: str) -> None:
        mechanism, _, first = text.partition(" ")
        self._may_log_in(mechanism)
        login = self.house.service.login(self.client, mechanism.upper())
        if login is None or mechanism.upper() not in self.house.mechanisms(self.client):
            raise Refused(replies.UNKNOWN_MECHANISM)
        try:
            self.client.account = await exchange(login, first.strip(" "), self.say, self.hear)
        except Refused as refused:
            self.house.log("smtp.login_failed", peer=self.client.address, mechanism=mechanism.upper())
            if last := self.spent.failed_login():
                self.say(refused.reply)
                return self._end(last)
            raise
        self.say(replies.WELCOME)
        return await self.flush()

    def _may_log_in(self, mechanism: str) -> None:
        if not self.house.service.mechanisms(self.client):
            raise Refused(replies.NOT_HERE)
        if not self.client.helo or self._transaction is not None:
            raise Refused(replies.ONE_AT_A_TIME if self._transaction else replies.HELO_FIRST)
        if self.client.account:
            raise Refused(replies.ALREADY_IN)
        if not self.house.mechanisms(self.client):
            raise Refused(replies.TLS_FOR_LOGIN)
        if not mechanism:
            raise Refused(replies.ARGUMENT_NEEDED)

    # a mail

    async def mail(self, text: str) -> None:
        if not self.client.helo:
            raise Refused(replies.HELO_FIRST)
        if self.house.require_tls and self.client.tls is None:
            raise Refused(replies.TLS_FIRST)
        if self._transaction is not None:
            raise Refused(replies.ONE_AT_A_TIME)
        if reply := self.spent.another():
            return self._end(reply)
        sender, rest = reverse_path(_behind("FROM:", text))
        if rest and not self.client.esmtp:
            raise Refused(replies.UNKNOWN_PARAMETER)
        options = mail_options(rest, self.limits.message)
        if options.requiretls and self.client.tls is None:
            raise Refused(replies.UNKNOWN_PARAMETER)  # RFC 8689 2: not offered, and so not known
        if sender and not options.smtputf8 and not sender.ascii:
            raise Refused(replies.UTF8_UNASKED)
        self._transaction = await self.house.service.mail(self.client, sender, options)
        self._utf8 = options.smtputf8
        return self.say(replies.SENDER_OK)

    async def rcpt(self, text: str) -> None:
        if self._transaction is None:
            raise Refused(replies.MAIL_FIRST if self.client.helo else replies.HELO_FIRST)
        if self.transfer is not None:
            raise Refused(replies.IN_BDAT)
        address, rest = forward_path(_behind("TO:", text), self._utf8)
        if rest and not self.client.esmtp:
            raise Refused(replies.UNKNOWN_PARAMETER)
        options = rcpt_options(rest)
        if self._recipients >= self.limits.recipients:
            return self._one_too_many()
        await self._transaction.recipient(address, options)
        self._recipients += 1
        return self.say(replies.RECIPIENT_OK)

    def _one_too_many(self) -> None:
        """RFC 5321 4.5.3.1.10: the rest comes in another mail; who does not understand that is sent away."""
        self._excess += 1
        self.say(replies.TOO_MANY_RECIPIENTS)
        if self._excess > self.limits.recipients:
            self._end(replies.TOO_MANY_ERRORS)

    async def data(self, text: str) -> None:
        if self.transfer is not None:
            raise Refused(replies.IN_BDAT)
        if text:
            raise Refused(replies.NO_ARGUMENT)
        transaction = self._ready()
        self.transfer = transfer = self._begin()
        self.say(replies.GO_AHEAD)
        await self.flush()
        await transfer.data()
        await self._finish(transfer, transaction)

    async def bdat(self, text: str) -> None:
        form = _BDAT.fullmatch(text.strip(" "))
        if form is None or int(form[1]) > 4 * self.limits.message:
            # what follows are octets of a message, and we cannot know how many: no step further
            return self._end(replies.BAD_BDAT if form is None else replies.TOO_BIG)
        count = int(form[1])
        if self.inbox.count < count:
            await self.flush()
        transfer = self.transfer or self._begin()
        try:
            transaction = self._ready()
        except Refused:
            await transfer.skip(count)
            raise
        self.transfer = transfer
        await transfer.chunk(count)
        if form[2]:
            return await self._finish(transfer, transaction)
        if transfer.problem:
            raise Refused(transfer.problem)
        return self.say(replies.octets_taken(count))

    def _ready(self) -> Transaction:
        """The mail under way, when it has a recipient."""
        if self._transaction is None:
            raise Refused(replies.MAIL_FIRST)
        if not self._recipients:
            raise Refused(replies.RECIPIENT_FIRST)
        return self._transaction

    def _begin(self) -> Transfer:
        spool = Spool(self.house.room, self.limits.in_memory, self.house.folder)
        return Transfer(self.inbox, spool, self.limits, self.loop.time())

    async def _finish(self, transfer: Transfer, transaction: Transaction) -> None:
        """The sender has finished: the message is stored, or refused, and in both cases over."""
        try:
            reply = await transaction.message(await transfer.content())
        except Refused as refused:
            if refused.reply is replies.BROKEN_ENDS:
                self._poisoned = True
            raise
        finally:
            self._forget()
        self.say(reply)
        self.spent.message()

    def _forget(self) -> None:
        """No mail is under way any more."""
        if self.transfer is not None:
            self.transfer.close()
        self._transaction = self.transfer = None
        self._recipients = self._excess = 0

    # the small words

    async def rset(self, text: str) -> None:
        self._forget()
        self._bare()
        self.say(replies.OK)

    async def noop(self, text: str) -> None:
        self._bare()
        self.say(replies.OK)
        await self.flush()

    async def vrfy(self, text: str) -> None:
        self._bare()
        self.say(replies.PERHAPS)

    async def expn(self, text: str) -> None:
        raise Refused(replies.NO_EXPN)

    async def help(self, text: str) -> None:
        self._bare()
        self.say(replies.HELP)

    async def quit(self, text: str) -> None:
        self._end(replies.BYE)


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        raise Refused(replies.NOT_UTF8) from None


def _behind(word: str, text: str) -> str:
    """What stands behind FROM: or TO:."""
    if text[: len(word)].upper() != word:
        raise Refused(replies.BAD_PATH)
    return text[len(word) :]


VERBS: dict[bytes, Callable[[Session, str], Awaitable[None]]] = {
    b"HELO": Session.helo,
    b"EHLO": Session.ehlo,
    b"STARTTLS": Session.starttls,
    b"AUTH": Session.auth,
    b"MAIL": Session.mail,
    b"RCPT": Session.rcpt,
    b"DATA": Session.data,
    b"BDAT": Session.bdat,
    b"RSET": Session.rset,
    b"NOOP": Session.noop,
    b"VRFY": Session.vrfy,
    b"EXPN": Session.expn,
    b"HELP": Session.help,
    b"QUIT": Session.quit,
}
