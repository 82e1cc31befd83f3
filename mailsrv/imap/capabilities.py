"""What we say that we can (RFC 9051 7.2.2), in one table; each word is meant. Pure."""

from __future__ import annotations

from mailsrv.imap.session import Session, State

ALWAYS = ("IMAP4rev1", "IMAP4rev2", "LITERAL+", "SASL-IR", "ENABLE", "ID", "IDLE")
KNOWN = (
    "NAMESPACE", "UIDPLUS", "MOVE", "SPECIAL-USE", "CREATE-SPECIAL-USE", "LIST-EXTENDED", "LIST-STATUS", "ESEARCH",
    "SEARCHRES", "CONDSTORE", "QRESYNC", "UNSELECT", "CHILDREN", "BINARY", "MULTIAPPEND", "STATUS=SIZE", "SORT", "SORT=DISPLAY",
    "ESORT", "THREAD=REFERENCES", "THREAD=ORDEREDSUBJECT", "I18NLEVEL=1", "QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE",
    "METADATA", "NOTIFY", "PREVIEW", "SAVEDATE", "OBJECTID", "REPLACE", "UTF8=ACCEPT", "WITHIN",
)  # fmt: skip
ENABLED = {
    "CONDSTORE": ("CONDSTORE",),
    "QRESYNC": ("CONDSTORE", "QRESYNC"),
    "UTF8=ACCEPT": ("UTF8=ACCEPT",),
    "IMAP4REV2": ("IMAP4REV2",),
}


def capabilities(session: Session) -> bytes:
    """For this client, now."""
    words = list(ALWAYS)
    if session.state is State.STRANGER:
        words += before_login(session)
    else:
        words += KNOWN
        words.append(f"APPENDLIMIT={session.house.limits.message}")
        if not session.wire.compressed:
            words.append("COMPRESS=DEFLATE")
    return " ".join(words).encode("ascii")


def before_login(session: Session) -> list[str]:
    peer = session.wire.peer
    words = ["STARTTLS"] if session.wire.can_start_tls else []
    if not session.may_say_passwords:
        return [*words, "LOGINDISABLED"]
    return [*words, *(f"AUTH={name}" for name in session.house.login.mechanisms(peer))]
