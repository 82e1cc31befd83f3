"""How much a client may ask of us: length, count, depth and time, in every state. Pure.

A parser that forgets one of these in one state is CVE-2025-61600; so they stand in one table and are handed to all.
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, counts, and seconds."""

    # a command on its way in
    line: int = 65536  # RFC 7162 4 asks for 8192 at least
    line_before_login: int = 8192
    literal: int = 65536
    literal_before_login: int = 4096
    arguments: int = 262144  # a whole command, without the messages it brings
    message: int = 50 * MIB  # APPENDLIMIT (RFC 7889)
    messages: int = 100 * MIB  # all messages of one MULTIAPPEND together
    arriving: int = 1024 * MIB  # of messages that all clients are sending, at one moment
    discard: int = 256 * MIB  # what we read and drop of literals that came unasked

    # how long people may take
    login_time: float = 60.0
    idle_time: float = 1860.0  # RFC 9051 5.4: 30 minutes at least
    stall_time: float = 300.0  # a client that does not read

    # how often they may err
    errors_before_login: int = 10
    errors: int = 50  # in a row
    failed_logins: int = 4

    # how many there may be
    connections: int = 10000
    strangers: int = 100  # connections of one address (/64 for IPv6) that have not logged in
    sessions: int = 500  # of one account
    mailboxes: int = 10000  # of one account


# What the grammar allows inside a command
DEPTH = 50  # of parentheses, NOT and OR
KEYS = 256  # search keys in one command
ITEMS = 64  # items of one FETCH, STATUS or LIST
FIELDS = 256  # header field names of one item
KEYWORDS = 64  # flags of one command
KEYWORD_LENGTH = 200
SORT_KEYS = 16
PATTERNS = 32
ENTRIES = 64  # metadata entries of one command
NAME_LENGTH = 1000  # a mailbox name, in UTF-8
NAME_DEPTH = 20
MESSAGES = 100  # of one MULTIAPPEND
TAG = 128
