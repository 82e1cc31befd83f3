"""The tables of the mail store; `opening.migrate` leads from each version of them to the next."""

from __future__ import annotations

from mailsrv.store.sqlite.opening import Kind

# mailbox.modseq is the highest of its messages; account.modseq the last one given, so that it grows strictly.
# mailbox.forgotten: expunged UIDs up to this modseq are no longer remembered, `remembered` of them are.
# message has no index by modseq: it would double what a flag costs, and reading 50 000 rows through takes 5 ms.
# message.flags: bits 0-4 are flags.SYSTEM, bit 5 + n is the mailbox's keyword n.  received, saved: seconds since 1970.
# blob.refs counts messages and hops.  body.content: small ones; blob.file names the file of a large one.
# unindexed: what full-text search must still take in (or, without text, let go of). See index.py.
FIRST = """
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('uidvalidity', 0);

CREATE TABLE account (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, modseq INTEGER NOT NULL DEFAULT 1,
    size INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0, size_limit INTEGER, message_limit INTEGER);

CREATE TABLE mailbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL, name TEXT NOT NULL, uidvalidity INTEGER NOT NULL,
    uidnext INTEGER NOT NULL DEFAULT 1, modseq INTEGER NOT NULL DEFAULT 1, messages INTEGER NOT NULL DEFAULT 0,
    unseen INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0,
    remembered INTEGER NOT NULL DEFAULT 0, forgotten INTEGER NOT NULL DEFAULT 0,
    special TEXT NOT NULL DEFAULT '', selectable INTEGER NOT NULL DEFAULT 1, UNIQUE (account, name));

CREATE TABLE keyword (mailbox INTEGER, bit INTEGER, name TEXT NOT NULL, PRIMARY KEY (mailbox, bit)) WITHOUT ROWID;
CREATE TABLE subscription (account INTEGER, name TEXT, PRIMARY KEY (account, name)) WITHOUT ROWID;
CREATE TABLE metadata (
    account INTEGER, mailbox INTEGER, entry TEXT, value BLOB NOT NULL, PRIMARY KEY (account, mailbox, entry)) WITHOUT ROWID;

CREATE TABLE message (
    mailbox INTEGER, uid INTEGER, modseq INTEGER NOT NULL, flags INTEGER NOT NULL, size INTEGER NOT NULL,
    received INTEGER NOT NULL, saved INTEGER NOT NULL, blob INTEGER NOT NULL, PRIMARY KEY (mailbox, uid)) WITHOUT ROWID;
CREATE TABLE expunged (mailbox INTEGER, modseq INTEGER, uid INTEGER, PRIMARY KEY (mailbox, modseq, uid)) WITHOUT ROWID;

CREATE TABLE blob (
    id INTEGER PRIMARY KEY AUTOINCREMENT, refs INTEGER NOT NULL, size INTEGER NOT NULL, file TEXT,
    sent TEXT, message_id TEXT NOT NULL, "references" TEXT NOT NULL, subject TEXT NOT NULL, base TEXT NOT NULL,
    sender TEXT NOT NULL, "to" TEXT NOT NULL, cc TEXT NOT NULL, preview TEXT NOT NULL,
    envelope BLOB NOT NULL, body BLOB NOT NULL, bodystructure BLOB NOT NULL, parts TEXT NOT NULL);
CREATE TABLE body (blob INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE unindexed (blob INTEGER PRIMARY KEY, text TEXT);
CREATE VIRTUAL TABLE words USING fts5 (subject, sender, "to", cc, text,
    content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
INSERT INTO words (words, rank) VALUES ('automerge', 16);
INSERT INTO words (words, rank) VALUES ('crisismerge', 64);

CREATE TABLE hop (
    id INTEGER PRIMARY KEY AUTOINCREMENT, blob INTEGER NOT NULL, sender TEXT NOT NULL, options TEXT NOT NULL,
    recipient TEXT NOT NULL, recipient_options TEXT NOT NULL, received INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, next INTEGER NOT NULL, reason TEXT NOT NULL DEFAULT '');
CREATE INDEX hop_next ON hop (next);
"""

KIND = Kind(
    "this database",
    0x6D736474,  # "msdt"
    (FIRST,),
    strange="give the mail store a directory of its own",
    newer="install that version again, or restore a backup",
)
