"""Where rspamd 3.4 (SPF, DKIM, ARC, DMARC by RFC 7489) and we are known to differ, and who is right.

about: what all such messages have in common - their shape, signature, accident, author's domain or sender's domain.
`both`: neither breaks a rule, the standard leaves it open or another standard is followed.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.journeys.trust.opinions import Difference


class Known(NamedTuple):
    """One reason for differences. method, ours, theirs: words, several with blanks between them."""

    about: str
    method: str
    ours: str
    theirs: str
    right: str

    def explains(self, one: Difference) -> bool:
        said = one.ours in self.ours.split() and one.theirs in self.theirs.split()
        return said and one.method in self.method.split() and self.about in one.case.about


NOT_COUNTED = (
    "both: a permerror by RFC 6376 6.1.1; rspamd passes over the signature without a word, and neither counts it"
)
NOT_READ = "ours: RFC 6376 6.1.2 makes it a permerror; rspamd calls it a bad signature, and neither counts it"

DKIM = (
    # forms
    Known("blank lines", "dkim arc", "pass", "fail", "ours: lines of blanks are empty lines, those at the end are ignored (RFC 6376 3.4.4); dkimpy says the same"),
    Known("long lines", "dkim arc", "pass", "fail", "ours: a run of blanks is one space wherever it stands in a line (RFC 6376 3.4.4); dkimpy says the same"),
    Known("final blanks", "dkim arc", "pass fail", "fail pass", "ours: blanks at a line's end go, then the missing CRLF is added (RFC 6376 3.4.4), as after SMTP has added it; rspamd and dkimpy keep one"),
    Known("two subjects", "dkim arc", "pass", "fail", "ours: of two fields the lower one is signed (RFC 6376 5.4.2); dkimpy says the same"),
    Known("subject added", "dkim", "pass", "fail", "ours: the lower one is signed and was not touched (RFC 6376 5.4.2); who wants more signs Subject twice, as we do"),
    Known("second from above", "dkim", "pass", "fail", "both: RFC 6376 5.4.2 makes it hold, 8.15 lets a verifier refuse it; our DMARC refuses such mail"),
    Known("blank before colon", "dkim", "pass", "fail", "ours: blanks before the colon go (RFC 6376 3.4.2)"),
    # signatures that rspamd passes over
    Known("expired", "dkim", "fail", "nothing", "both: RFC 6376 3.5 lets a verifier treat it as invalid; neither counts it"),
    Known("x= before t=", "dkim", "error", "nothing", NOT_COUNTED),
    Known("t= in the future", "dkim", "error", "nothing", "both: RFC 6376 3.5 allows that it is ignored; neither counts it"),
    Known("v=2", "dkim", "error", "nothing", NOT_COUNTED),
    Known("no v=", "dkim", "error", "nothing", NOT_COUNTED),
    Known("no bh=", "dkim", "error", "nothing", NOT_COUNTED),
    Known("no d=", "dkim", "error", "nothing", NOT_COUNTED),
    Known("no s=", "dkim", "error", "nothing", NOT_COUNTED),
    Known("no h=", "dkim", "error", "nothing", NOT_COUNTED),
    Known("h= without From", "dkim", "error", "nothing", NOT_COUNTED),
    Known("c= unknown", "dkim", "error", "nothing", NOT_COUNTED),
    Known("a= unknown", "dkim", "error", "nothing", NOT_COUNTED),
    # signatures that rspamd reads
    Known("b= empty", "dkim", "error", "fail", "ours: RFC 6376 6.1.1 makes a malformed tag a permerror; neither counts it"),
    Known("b= not base64", "dkim", "error", "fail", "ours: RFC 6376 6.1.1 makes a malformed tag a permerror; neither counts it"),
    Known("tag twice", "dkim", "error", "pass fail", "ours: RFC 6376 3.2: a tag that stands twice makes the list invalid; dkimpy says the same"),
    Known("q= unknown", "dkim", "error", "pass fail", "ours: RFC 6376 3.5: a method of query that nobody knows; dkimpy says the same"),
    Known("i= elsewhere", "dkim", "error", "pass fail", "ours: RFC 6376 6.1.1: i= must be of d= or below it; dkimpy says the same"),
    Known("rsa-sha1", "dkim", "error", "pass fail", "ours: RFC 8301 3.1: it must not verify"),
    Known("l= of all", "dkim", "error", "pass fail", "both: RFC 6376 8.2 warns, our policy never counts l=: what is appended would be shown as signed"),
    Known("l=0", "dkim", "error", "pass fail", "ours by policy, as above; rspamd takes l=0 for no l= and hashes the whole body"),
    # keys
    Known("sha1 key", "dkim", "error", "pass fail", "ours: RFC 6376 6.1.2: the key's h= does not have sha256"),
    Known("service", "dkim", "error", "pass fail", "ours: RFC 6376 3.6.1: a key whose s= does not have email is none for mail; dkimpy says the same"),
    Known("exact, i= below", "dkim", "error", "pass fail", "ours: RFC 6376 3.6.1: t=s forbids an i= below d="),
    Known("key of another version", "dkim", "error", "pass fail", "ours: RFC 6376 3.6.1: another v= is to be discarded; dkimpy says the same"),
    Known("kind", "dkim", "error", "fail", NOT_READ),
    # what cannot be known now
    Known("expired.org", "dkim", "error fail", "later", "both: RFC 6376 6.1 leaves the order open; we need no key where the message alone says no"),
    Known("expired.org", "arc", "temperror", "fail", "ours: RFC 8617 5.2 has no temperror, but a key that cannot be known now is no broken chain (RFC 6376 6.1.2)"),
)  # fmt: skip
SPF = (
    Known("nods.org", "spf", "permerror", "fail", "ours: RFC 7208 5.2: an include without a record is permerror"),
    Known("mute.example.org", "spf", "permerror", "fail", "ours: RFC 7208 4.6.4: a record that includes itself has more than ten terms"),
    Known("tested.example.org", "spf", "permerror", "fail", "ours: RFC 7208 4.6.4: more than ten terms that ask; rspamd allows 30"),
    Known("sampled.example.org", "spf", "permerror", "fail pass", "both: RFC 7208 4.6.4 says SHOULD: more than two void look-ups are permerror"),
    Known("odd.example.org", "spf", "permerror", "fail pass", "ours: RFC 7208 4.6: ipv4 is no mechanism, a syntax error is permerror; rspamd reads it as ip4"),
    Known("two.example.org", "spf", "permerror", "fail", "ours: RFC 7208 4.5: two records are permerror; rspamd takes whichever comes first"),
    Known("late.example.org", "spf", "fail", "pass", "ours: RFC 7208 5.1: what stands behind all is never looked at"),
    Known("nsec.org", "spf", "fail", "pass", "ours: RFC 7208 5.4: the exchange has no IPv6 address; rspamd lets mx/24 match every IPv6 client"),
    Known("www.nods.org", "spf", "pass", "neutral", "ours: RFC 7208 5.1; rspamd's policy takes +all for no statement"),
)  # fmt: skip
DMARC = (
    Known("ghost.example.org", "policy", "none", "quarantine", "both: RFC 9989 4.7 has np for names that do not exist, RFC 7489 only sp"),
    Known("apart.example.org", "dmarc", "fail", "pass", "both: RFC 9989 4.10.2: psd=n makes it an organization of its own; RFC 7489 3.2 has the public suffix list"),
    Known("two.example.org", "dmarc", "pass fail", "permerror", "both: RFC 9989 4.10 discards both records and walks on; RFC 7489 6.6.3 ends without a policy"),
    Known("odd.example.org", "dmarc", "pass fail", "permerror", "ours: RFC 9989 4.10.1 and RFC 7489 6.6.3: a bad p with a good rua is p=none"),
    Known("mute.example.org", "dmarc", "none", "permerror", "both: RFC 9989 4.10.1: DMARC does not apply; rspamd says why"),
    Known("spaced.example.org", "dmarc", "fail", "pass", "ours: RFC 9989 4.8 allows blanks around ; and =, rspamd then reads no tag, not even adkim=s"),
    Known("spaced.example.org", "policy", "reject", "none", "ours: as above, not even p=reject"),
    Known("second from above", "dmarc", "fail permerror", "none", "both: RFC 9989 11.5 leaves it to the receiver: we apply the strictest policy, rspamd none"),
    Known("second from below", "dmarc", "fail permerror", "none", "both: as above"),
    Known("from with two", "dmarc", "fail permerror", "none", "both: as above"),
    Known("from gone", "dmarc", "permerror", "none", "both: RFC 9989 5.3.1: no author domain; we have a word for it"),
    Known("from without domain", "dmarc", "permerror", "none", "both: as above"),
)  # fmt: skip
KNOWN = (*DKIM, *SPF, *DMARC)
