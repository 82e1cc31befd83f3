"""What internet.nl does not test: findings of the strict column only, no part of the score. Pure.

Standards: RFC 5321, RFC 1912, RFC 5782 (blocklists), RFC 8461 (MTA-STS), RFC 8460 (TLS-RPT). Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue.subtest import Level, Subtest
from checks.finding import Status

_FAIL, _NOTICE = Status.FAIL, Status.NOTICE
_RECOMMENDED, _OPTIONAL, _REQUIRED = Level.RECOMMENDED, Level.OPTIONAL, Level.REQUIRED


def _further(name: str, title: str, level: Level, meaning: str, standard: str, mend: str) -> Subtest:
    return Subtest(name, "beyond", "", title, level, _FAIL, _FAIL, None, meaning, standard, mend)


BEYOND = (
    _further(
        "mx_hosts",
        "Mail hosts have addresses of their own",
        _REQUIRED,
        "Every MX host exists, has an address, and is no alias.",
        "RFC 5321 5.1, RFC 2181 10.3",
        "Let the MX record name a host with A and AAAA records, not a CNAME.",
    ),
    _further(
        "mx_signed",
        "The MX records are proven",
        _RECOMMENDED,
        "Senders believe DANE records only when the MX records that lead to them are signed, too.",
        "RFC 7672 2.2.1",
        "Sign the domain's zone.",
    ),
    _further(
        "reverse_names",
        "Addresses have names that lead back",
        _RECOMMENDED,
        "The reverse name of each mail host's address has that address itself. Many receivers refuse mail from others.",
        "RFC 1912 2.1",
        "Set the reverse name (PTR) at whoever gave the address to the host's name, and keep A and AAAA in step.",
    ),
    _further(
        "greeting",
        "The server calls itself by its name",
        _OPTIONAL,
        "The name in the server's greeting is one that leads to its address.",
        "RFC 5321 4.3.1",
        "Set the server's own host name (hostname:, myhostname) to the name in its reverse record.",
    ),
    _further(
        "blocklists",
        "On no blocklist",
        _REQUIRED,
        "None of the lists asked has an address of the mail hosts. A list that does not answer, or refuses, says nothing.",
        "RFC 5782",
        "Read what the list says, end its cause, and ask the list to remove the address.",
    ),
    _further(
        "mta_sts",
        "MTA-STS: a policy that holds",
        _RECOMMENDED,
        "For senders that do not know DANE: a record, a policy by HTTPS that names all mail hosts, and certificates that fit it.",
        "RFC 8461",
        "Publish `_mta-sts` and the policy (`mailsrv dns apply` and the web listener do), with mode: enforce and every MX host.",
    ),
    _further(
        "tls_rpt",
        "Reports about encryption are wanted",
        _RECOMMENDED,
        "Senders that could not encrypt tell you so, by a daily report.",
        "RFC 8460 3",
        "Publish `v=TLSRPTv1; rua=mailto:tlsrpt@DOMAIN` at `_smtp._tls.DOMAIN`.",
    ),
    _further(
        "certificate_days",
        "Certificates last",
        _REQUIRED,
        "The certificate of each mail host is valid now, and for two weeks more.",
        "RFC 5280 4.1.2.5",
        "Renew it (`mailsrv cert issue`), and look why that did not happen by itself.",
    ),
    _further(
        "bimi",
        "The picture's record can be read",
        _OPTIONAL,
        "Where there is a BIMI record, it says where an SVG picture is.",
        "draft-brand-indicators-for-message-identification",
        "Write `v=BIMI1; l=https://.../logo.svg;` at `default._bimi.DOMAIN`, or remove the record.",
    ),
    _further(
        "zone_servers",
        "The zone's servers agree",
        _REQUIRED,
        "Every name server of the zones in which the domain and its mail hosts stand answers at every address, over IPv4 and IPv6, and has "
        "the same serial and keys as the others. Who asks one that lags gets old records: TLSA of a key that is gone, for one.",
        "RFC 1034 4.3.5, RFC 1982, RFC 1996",
        "Look at the zone transfer of the server that differs: NOTIFY, TSIG, firewall; `mailsrv dns dnssec ZONE` shows all of it.",
    ),
    _further(
        "zone_signatures",
        "Days that the zone's signatures have left",
        _REQUIRED,
        "The signatures of the zones in which the domain, its mail hosts and their TLSA records stand are good, and for some time more, at "
        "every server; and the parent has the DS of a key that signs.",
        "RFC 4035 5, RFC 6781 4.4, RFC 6840 5.11",
        "Look at the signer; `mailsrv dns dnssec ZONE` shows all of it.",
    ),
    _further(
        "own_records",
        "Every record that the configuration wishes",
        _REQUIRED,
        "Of a domain that the configuration names, each record that mail needs is in DNS, at the resolver and at every authoritative server: "
        "none is missing, none is another, and none beside it leads mail, passwords or trust to somebody else.",
        "the standard of each record: `mailsrv dns records`",
        "`mailsrv dns plan` shows what is to be written, `mailsrv dns apply` writes it.",
    ),
    _further(
        "client_setup",
        "Mail programs find their servers",
        _OPTIONAL,
        "Who types an address into Thunderbird, Outlook or Apple Mail gets the servers by itself: the documents and SRV records can be "
        "read, come by HTTPS only, name servers that are there with the TLS that is announced and their own names, and all of them say the same.",
        "RFC 6186, RFC 8314 5.1; Thunderbird config-v1.1.xml; MS-OXDSCLI; draft-ietf-mailmaint-pacc",
        "Publish SRV records `_submissions._tcp` and `_imaps._tcp`, and serve https://autoconfig.DOMAIN/mail/config-v1.1.xml and "
        "https://autodiscover.DOMAIN/autodiscover/autodiscover.xml with a certificate for those names (`mailsrv dns apply` and the web "
        "listener do), no redirect to http; socketType is SSL at 993, 995 and 465, STARTTLS at 143, 110 and 587; no service without TLS.",
    ),
)
