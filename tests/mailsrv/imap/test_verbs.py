"""Bytes to commands: every verb is read, nothing raises, what is no command is a Bad with its tag."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailsrv.imap.command import Verb
from mailsrv.imap.grammar.cursor import Cursor
from mailsrv.imap.grammar.fetch import Form, Item, Octets, Section, Text, read_items
from mailsrv.imap.grammar.search import And, Flag, Header, Not, Or, Size, Words, read_keys
from mailsrv.imap.verbs import VERBS, Asked, Bad, parse

EXAMPLES: dict[str, bytes] = {
    "CAPABILITY": b"", "NOOP": b"", "LOGOUT": b"", "STARTTLS": b"", "CHECK": b"", "CLOSE": b"", "UNSELECT": b"", "EXPUNGE": b"",
    "IDLE": b"", "NAMESPACE": b"", "ID": b" NIL", "AUTHENTICATE": b" PLAIN", "LOGIN": b" a b", "ENABLE": b" CONDSTORE",
    "COMPRESS": b" DEFLATE", "SELECT": b" INBOX (CONDSTORE)", "EXAMINE": b" INBOX (QRESYNC (1 2 1:3 (1,3 1,3)))",
    "CREATE": b" a (USE (\\Sent))", "DELETE": b" a", "RENAME": b" a b", "SUBSCRIBE": b" a", "UNSUBSCRIBE": b" a",
    "LIST": b' (SUBSCRIBED RECURSIVEMATCH) "" (% *) RETURN (CHILDREN STATUS (UNSEEN))', "LSUB": b' "" *',
    "STATUS": b" a (MESSAGES)", "APPEND": b' a (\\Seen) "17-Jul-1996 02:44:25 -0700" {1+}\r\nx', "NOTIFY": b" SET (personal (MessageNew))",
    "GETQUOTA": b' ""', "GETQUOTAROOT": b" a", "GETMETADATA": b" (DEPTH 1) a /private/x", "SETMETADATA": b" a (/private/x NIL)",
    "SEARCH": b" RETURN (ALL) CHARSET UTF-8 OR SEEN (NOT FROM x)", "SORT": b" (REVERSE DATE) UTF-8 ALL", "THREAD": b" REFERENCES UTF-8 ALL",
    "FETCH": b" 1:* (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (A B)]<0.10>) (CHANGEDSINCE 5)", "STORE": b" 1 (UNCHANGEDSINCE 3) +FLAGS.SILENT (a)",
    "COPY": b" 1 a", "MOVE": b" 1 a", "REPLACE": b" 1 a {1+}\r\nx", "UID EXPUNGE": b" 1",
}  # fmt: skip


@pytest.mark.parametrize("name, verb", VERBS.items())
def test_every_verb_can_be_read_in_any_case(name: str, verb: Verb) -> None:
    arguments = EXAMPLES.get(name) or EXAMPLES[name.removeprefix("UID ")]
    asked = parse(b"t1 " + name.lower().encode() + arguments)
    assert isinstance(asked, Asked)
    assert (asked.tag, asked.verb) == (b"t1", verb)


@pytest.mark.parametrize("name", VERBS)
def test_a_word_too_many_is_too_many(name: str) -> None:
    arguments = EXAMPLES.get(name) or EXAMPLES[name.removeprefix("UID ")]
    assert isinstance(parse(b"t1 " + name.encode() + arguments + b" )"), Bad)


BAD = [
    (b"", b"*"), (b" ", b"*"), (b"a", b"a"), (b"+ NOOP", b"*"), (b"a+b NOOP", b"*"), (b"a\0 NOOP", b"*"), (b"t" * 200 + b" NOOP", b"*"),
    (b"a FETCH 1 BODY[" + b"1." * 1000 + b"1", b"a"), (b"a SEARCH " + b"(" * 3000, b"a"), (b"a SEARCH " + b"NOT " * 3000 + b"ALL", b"a"),
    (b"a SEARCH " + b"OR ALL " * 1500 + b"ALL", b"a"), (b"a LOGIN " + b"(" * 7000, b"a"), (b"a SORT (" + b"SUBJECT " * 500 + b") UTF-8 ALL", b"a"),
    (b"a STORE 1 +FLAGS (" + b"k " * 1000 + b")", b"a"), (b'a LOGIN "a\\b" c', b"a"), (b"a LOGIN {5}\r\nabc", b"a"), (b"a LOGIN {1}\r\n\0 x", b"a"),
]  # fmt: skip


@pytest.mark.parametrize("sent, tag", BAD)
def test_what_is_no_command_is_answered_with_its_tag(sent: bytes, tag: bytes) -> None:
    found = parse(sent)
    assert isinstance(found, Bad)
    assert found.tag == tag
    assert found.refused.line(found.tag).count(b"\r\n") == 1


WORDS = st.sampled_from(
    [name.encode() for name in VERBS]
    + [b"a", b" ", b"(", b")", b"[", b"]", b"<0.1>", b"1:*", b"$", b"{3+}\r\nabc", b'"x"', b"NIL", b"BODY", b".PEEK", b"HEADER.FIELDS", b"RETURN", b"*", b"%"]
    + [b"NOT", b"OR", b"CHARSET", b"UTF-8", b"UID", b"\\Seen", b"+FLAGS", b"QRESYNC", b"1-Jan-2024", b"\xff", b"\0", b"{9", b"~", b"&AAA-", b'"']
)  # fmt: skip


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(sorted(VERBS)), st.lists(WORDS, max_size=14), st.booleans(), st.booleans())
def test_no_words_make_the_parser_raise(name: str, words: list[bytes], spaced: bool, utf8: bool) -> None:
    found = parse(b"a " + name.encode() + b" " + (b" " if spaced else b"").join(words), utf8)
    assert isinstance(found, Asked | Bad)


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_make_the_parser_raise(data: bytes) -> None:
    assert isinstance(parse(data), Asked | Bad)
    assert isinstance(parse(b"a SEARCH " + data), Asked | Bad)
    assert isinstance(parse(b"a FETCH 1 " + data), Asked | Bad)


KEYS = [
    (b"UNSEEN", Flag("\\Seen", there=False)),
    (b"FLAGGED SUBJECT x", And((Flag("\\Flagged"), Words("subject", "x")))),
    (b"OR (LARGER 5 SMALLER 9) NOT DELETED", Or(And((Size(True, 5), Size(False, 9))), Not(Flag("\\Deleted")))),
    (b'BCC "a b"', Header("bcc", "a b")),
    (b"UNKEYWORD work ", Flag("work", there=False)),
]


@pytest.mark.parametrize("text, key", KEYS)
def test_search_keys(text: bytes, key: object) -> None:
    assert read_keys(Cursor(text)) == key


ITEMS = [
    (b"FAST", (Item.FLAGS, Item.INTERNALDATE, Item.SIZE)),
    (b"(uid flags)", (Item.UID, Item.FLAGS)),
    (b"BODY", (Item.BODY,)),
    (b"BODY[]", (Octets(b"BODY[]"),)),
    (b"BODY.PEEK[2.1.MIME]<5.10>", (Octets(b"BODY[2.1.MIME]<5>", Section("2.1", Text.MIME), partial=(5, 10), peek=True),)),
    (b"BINARY.SIZE[3]", (Octets(b"BINARY.SIZE[3]", Section("3"), Form.SIZE, peek=True),)),
    (b"RFC822.HEADER", (Octets(b"RFC822.HEADER", Section(text=Text.HEADER), peek=True),)),
    (b'BODY[HEADER.FIELDS ("a]b" C)]', (Octets(b'BODY[HEADER.FIELDS ("a]b" C)]', Section("", Text.FIELDS, (b"a]b", b"C"))),)),
]  # fmt: skip


@pytest.mark.parametrize("text, items", ITEMS)
def test_fetch_items(text: bytes, items: object) -> None:
    assert read_items(Cursor(text)) == items
