"""What `mailsrv check echo`, `health`, `relay` and `mailbox` look at: our own house, so in our column only. Pure.

Standards: RFC 5321 (mail out), RFC 3834 (answers by machines), RFC 9051 (reading), RFC 7671 8 (TLSA). Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue.subtest import Level, Subtest
from checks.finding import Status

ECHO_CATEGORY, HEALTH_CATEGORY, RELAY_CATEGORY = "echo", "health", "relay"
MAILBOX_CATEGORY = "mailbox"


def _own(category: str, name: str, title: str, meaning: str, standard: str, mend: str) -> Subtest:
    full = f"{category}_{name}"
    return Subtest(full, category, "", title, Level.REQUIRED, Status.ERROR, Status.INFO, None, meaning, standard, mend)


ECHO = tuple(_own(ECHO_CATEGORY, *row) for row in (
    ("sent", "Our server takes the mail", "The marked mail goes in by submission, with a login and TLS.",
     "RFC 6409", "Look at the server's log, and at `checks.echo_account` and its password."),
    ("answered", "The answer comes back", "The mail goes out, is answered, and the answer arrives in the mailbox in time.",
     "RFC 5321, RFC 3834", "`mailsrv queue list` tells whether it still waits, and the log why; try another echo address, too."),
    ("inbox", "The answer is in the inbox", "The answer is not taken for spam here.",
     "", "`mailsrv message explain` tells why it went to Junk."),
    ("spf", "The far side sees SPF pass", "Read from the answer, where it tells.",
     "RFC 7208", "Compare the address that the answer names with the SPF record: `mailsrv dns plan`."),
    ("dkim", "The far side sees DKIM pass", "Read from the answer, where it tells.",
     "RFC 6376", "`mailsrv dkim show` compares keys and records; look for who alters mail after it was signed."),
    ("dmarc", "The far side sees DMARC pass", "Read from the answer, where it tells.",
     "RFC 9989", "SPF or DKIM must pass for the domain in From."),
    ("tls", "The mail travels encrypted", "Read from the answer, where it tells.",
     "RFC 3207", "Look at `transport` in the configuration, and whether something between strips STARTTLS."),
))  # fmt: skip

HEALTH = tuple(_own(HEALTH_CATEGORY, *row) for row in (
    ("ports", "Ports answer", "Each port of the configuration takes connections, and says what it should.",
     "RFC 5321 4.3.1, RFC 9051 7.1", "`systemctl status mailsrv`, or start it with `mailsrv serve`; look for another program at the port."),
    ("queue", "The queue moves", "No mail waits long to leave.",
     "RFC 5321 4.5.4", "`mailsrv queue list` tells the reasons; is port 25 open outward?"),
    ("disk", "Room on the disk", "The disk of the state directory has bytes and files left.",
     "", "Make room, or enlarge the disk: mail is refused for now when it is full."),
    ("clock", "The clock is right", "The system's clock is kept by NTP: signatures, DNSSEC and certificates depend on it.",
     "RFC 5905", "`timedatectl set-ntp true`, or start chrony."),
    ("certificate", "The certificate", "What the ports show is for this host, and ends not soon.",
     "RFC 5280 4.1.2.5", "`mailsrv cert issue` renews it; `mailsrv timers list` tells why it did not happen by itself."),
    ("tlsa", "TLSA records fit", "What port 25 shows matches the host's TLSA records, as DNSSEC proves them.",
     "RFC 7672 3", "`mailsrv tlsa reconcile` publishes what fits."),
    ("timers", "Timers", "Each job's last run ended well, and was not long ago.",
     "", "`mailsrv timers run JOB` shows what it says."),
    ("backups", "Backups", "The newest file of the backup's place is young enough.",
     "", "Run the backup, and look why it did not run by itself."),
    ("log", "Errors in the log", "The server's log of the last hours speaks of no failure.",
     "", "`journalctl -u mailsrv`, or the file of `checks.log`."),
    ("outward", "Port 25 is open outward", ("This host reaches port 25 of other mail servers, over IPv4 and IPv6. Many providers block it "
     "until asked, some for one family only."), "RFC 5321 2.3.7, RFC 5068 3.1",
     "Ask the provider to open port 25 outward (and look at this host's firewall), or send by a relay: `queue.next_hop`."),
))  # fmt: skip

RELAY = tuple(_own(RELAY_CATEGORY, *row) for row in (
    ("open", "It relays for nobody who has not logged in", ("However a recipient elsewhere is spelled - by %, !, quotes, routes - and whoever "
     "the sender says to be, the server refuses it. An open relay is found within hours, and on every block list within a day."),
     "RFC 5321 3.6.2 and appendix F.2, RFC 5068 3.1", ("Take mail only for addresses that you have, and relay only after a login: in Postfix "
     "`smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination`, `allow_percent_hack = no`, `swap_bangpath = no`.")),
    ("unknown", "Addresses that nobody has are refused", ("They are refused at RCPT. Who takes them first has to send them back, mostly to "
     "somebody whose address was forged."), "RFC 5321 3.3 and 3.6.2", ("Let the server know its recipients when they are named "
     "(Postfix: `local_recipient_maps`, `virtual_mailbox_maps`, `relay_recipient_maps`).")),
    ("smuggling", "One message stays one", ("Only CR LF . CR LF ends the data. Where another ending does, a sender can put a second message into "
     "the first, which then comes from a server that has proven itself (SMTP smuggling, 2023)."), "RFC 5321 4.1.1.4 and 2.3.8, RFC 3030 2",
     "Update the server; in Postfix `smtpd_forbid_bare_newline = normalize` (or reject) and `smtpd_forbid_unauth_pipelining = yes`."),
    ("bare", "A CR or LF by itself is refused", "Such a message is refused, so that no server behind this one can read it in another way.",
     "RFC 5321 2.3.8", "In Postfix `smtpd_forbid_bare_newline = reject`. Where old clients send such mail, normalizing is enough."),
))  # fmt: skip

MAILBOX = tuple(_own(MAILBOX_CATEGORY, *row) for row in (
    ("login", "The login works", "The account gets in by IMAP with its password.", "RFC 9051 6.2.2",
     "Look at the server's log, and at `checks.echo_account` and its password."),
    ("tls", "The login is encrypted", "TLS 1.2 or newer is spoken before the password is said.", "RFC 8314 4.1",
     "Use port 993, and update a server that knows only older versions."),
    ("capability", "The server can what programs need", "It says IMAP4rev1 or rev2, and has IDLE, UIDPLUS, MOVE and SPECIAL-USE.",
     "RFC 9051 6.1.1 and appendix E", "Update the server, or switch them on."),
    ("put", "A message is put in and read back", "What APPEND took is what FETCH gives, octet for octet, and SEARCH finds it.",
     "RFC 9051 6.3.12 and 6.4.5", "Look at the server's log, the room on its disk, and the account's quota."),
    ("removed", "A message is taken out", "After EXPUNGE it is gone.", "RFC 9051 6.4.3", "Look at the server's log."),
))  # fmt: skip

_BY_ID = {one.id: one for one in (*ECHO, *HEALTH, *RELAY, *MAILBOX)}


def ourselves(name: str) -> Subtest:
    """`ourselves("health_disk")`."""
    return _BY_ID[name]
