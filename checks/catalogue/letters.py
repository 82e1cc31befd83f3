"""The rules by which a message is scored: what each means, what it costs, how to mend it. Pure.

`max_points` are tenths of a point: a message begins with 10, and loses what a rule takes. A rule without points only tells.
Standards: RFC 5322 3.6, 5321 4.5.3.1, 2045 to 2047, 2369, 8058, 6376, 7208, 9989; what large receivers ask of senders.
Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue.subtest import Level, Subtest
from checks.finding import Status

CATEGORY = "deliverability"


def _rule(name: str, points: int | None, title: str, meaning: str, standard: str, mend: str) -> Subtest:
    worst = Status.INFO if points is None else Status.FAIL if points >= 10 else Status.NOTICE
    level = Level.OPTIONAL if points is None else Level.REQUIRED if points >= 10 else Level.RECOMMENDED
    return Subtest(f"letter_{name}", CATEGORY, "", title, level, worst, worst, points, meaning, standard, mend)


ORIGIN = (
    _rule("spf", 15, "SPF of the envelope sender",
        "The domain of MAIL FROM names the address that the mail comes from. Receivers refuse or sort out what fails.",
        "RFC 7208", "Add the sending address to the SPF record of the envelope sender's domain: `mailsrv dns plan` shows ours."),
    _rule("dkim", 15, "A DKIM signature that holds",
        "The message is signed by a domain of its author, and was not altered on the way.",
        "RFC 6376", "Sign with `dkim` of the configuration, publish the key (`mailsrv dkim show`), and alter nothing after signing."),
    _rule("dkim_key", 3, "The signature's key and what it covers",
        "An RSA key of 2048 bits or Ed25519; From, To, Subject and Date are signed; none is in test mode.",
        "RFC 8301 3.2, RFC 6376 5.4", "Make a key of 2048 bits (`mailsrv dkim rotate`) and sign the fields that a reader sees."),
    _rule("dmarc", 15, "DMARC",
        "The domain that a reader sees in From is the one that SPF or DKIM proves, and it has a policy.",
        "RFC 9989 4", "Publish `_dmarc.DOMAIN`, and let MAIL FROM or the signature's d= be of From's organization."),
    _rule("iprev", 10, "The sending address has a name that leads back",
        "Most receivers refuse clients whose address has no reverse name, or one that does not lead back.",
        "RFC 8601 3, RFC 1912 2.1", "Let your provider set the address's PTR record to the host's name, which has this address."),
    _rule("lists", 20, "Block lists",
        "The sending address and the domains of the message are on none of the configured lists.",
        "RFC 5782", "Find the cause (a hacked account, a form), end it, then ask the list's owner to take the entry out."),
    _rule("scanners", 30, "SpamAssassin and rspamd",
        "What the scanners of the configuration say of it.",
        "", "See the names of the rules that fired in the details; each is described by the scanner's own documentation."),
)  # fmt: skip

HEAD = (
    _rule("from", 20, "From", "Exactly one From, with an address in a full domain; no other address poses as a name.",
        "RFC 5322 3.6.2", "Write one From: `Name <user@example.org>`."),
    _rule("date", 10, "Date", "There is one Date that can be read, of about now.",
        "RFC 5322 3.6.1", "Let the sending program write Date, and keep its clock right (NTP)."),
    _rule("id", 5, "Message-ID", "There is one Message-ID of the form <token@full.domain>.",
        "RFC 5322 3.6.4", "Write `Message-ID: <something-unique@your.domain>`."),
    _rule("to", 5, "To and Cc", "To or Cc names recipients that can be read, and not a crowd.",
        "RFC 5322 3.6.3", "Send to each recipient by itself, with the own address in To."),
    _rule("subject", 5, "Subject", "There is a subject: not empty, not shouted, not a false Re:.",
        "RFC 5322 3.6.5", "Write a plain sentence that says what the message is about."),
    _rule("once", 10, "Fields that may stand once", "From, Sender, Reply-To, To, Cc, Subject, Date, Message-ID stand once each.",
        "RFC 5322 3.6", "Remove the second field of that name: receivers refuse such messages."),
    _rule("header", 5, "Header in clean ASCII", "Header fields have no raw 8-bit or control characters, and lines of at most 998 octets.",
        "RFC 5322 2.1.1 and 2.2, RFC 2047", "Encode other letters as encoded words: =?utf-8?B?...?=, and fold long fields."),
    _rule("unsubscribe", 10, "Bulk mail can be unsubscribed",
        "Mail that many get (List-Id, Precedence: bulk, a text that speaks of unsubscribing) has List-Unsubscribe with an https address.",
        "RFC 2369 3.2, RFC 8058 3.1", "Add `List-Unsubscribe: <https://...>, <mailto:...>`."),
    _rule("one_click", 5, "... with one click",
        "List-Unsubscribe-Post says One-Click, and a signature that holds covers both fields.",
        "RFC 8058 3 and 4", "Add `List-Unsubscribe-Post: List-Unsubscribe=One-Click` before the message is signed."),
)  # fmt: skip

BODY = (
    _rule("empty", 10, "There is text", "A reader finds words, not only pictures or files.",
        "", "Say in a sentence or two what it is."),
    _rule("mime", 5, "MIME as it should be", "MIME-Version is there, charsets are known and true, encodings decode, lines are short.",
        "RFC 2045 4 to 6, RFC 5321 4.5.3.1.6", "Let a mail library compose the message: text as UTF-8 in quoted-printable or base64."),
    _rule("plain", 10, "Plain text beside HTML", "A message in HTML has a text/plain alternative.",
        "RFC 2046 5.1.4", "Send multipart/alternative: text/plain first, then text/html."),
    _rule("alike", 5, "Both say the same", "The plain text says what the HTML says.",
        "RFC 2046 5.1.4", "Make the plain text from the HTML's words, all of them."),
    _rule("balance", 5, "Words and markup", "The HTML has words, not only pictures; nothing is hidden.",
        "", "Write text as text; show pictures beside it."),
    _rule("links", 10, "Links", "Addresses can be read, name a host (not a number), and go where their text says.",
        "RFC 3986", "Write whole https addresses of your own domain; a link's text is no other address."),
    _rule("shorteners", 5, "No shortened links", "A shortener hides where a link goes; its domain is shared with spammers.",
        "", "Link to the page itself."),
    _rule("alt", 3, "Pictures have a text", "Each picture has alt, for who does not see it.",
        "HTML 4.8.4.4", 'Write `alt="..."`, or alt="" where it only decorates.'),
    _rule("tags", 10, "Nothing that acts", "No scripts, forms, frames, plugins, handlers: mail programs drop them, filters suspect them.",
        "", "Take them out; link to a page that does it."),
    _rule("files", 10, "Attached files", "No programs, scripts or documents with macros are attached.",
        "", "Put the file behind a link, or send a PDF."),
    _rule("size", 5, "Size", "Not larger than most servers take (10 MB); HTML not longer than is shown whole (102 kB).",
        "RFC 5321 4.5.3.1.7", "Link to large files."),
    _rule("reach", 5, "Links lead somewhere", "Each linked page answers; looked at with --fetch only.",
        "RFC 9110 15", "Mend the link, or the page."),
)  # fmt: skip

LETTERS = (*ORIGIN, *HEAD, *BODY)
_BY_ID = {rule.id: rule for rule in LETTERS}


def rule(name: str) -> Subtest:
    """`rule("spf")`."""
    return _BY_ID[f"letter_{name}"]
