"""The subtests of DNSSEC and of the marks of authenticity. Pure.

Standards: RFC 4033 to 4035, RFC 9989 (DMARC), RFC 6376 (DKIM), RFC 7208 (SPF). Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue.subtest import Level, Subtest
from checks.finding import Status

_REQUIRED, _FAIL, _NOTICE = Level.REQUIRED, Status.FAIL, Status.NOTICE
_SIGN = "Switch DNSSEC on where the zone is held, and give the DS record to the registrar."
_REPAIR = (
    "Compare the DS record at the parent with the zone's keys, and look at the end of the signatures; when in doubt remove the DS, "
    "wait for its TTL, sign anew, and publish the new DS."
)

DNSSEC = (
    Subtest(
        "dnssec_exists",
        "dnssec",
        "mail_dnssec_mailto_exist",
        "The domain is signed",
        _REQUIRED,
        _FAIL,
        _FAIL,
        None,
        "The domain's DNS records are signed and the parent zone vouches for the key, so that nobody can forge them.",
        "RFC 4033, RFC 9364",
        _SIGN,
    ),
    Subtest(
        "dnssec_valid",
        "dnssec",
        "mail_dnssec_mailto_valid",
        "The domain's signatures are right",
        _REQUIRED,
        _FAIL,
        _FAIL,
        10,
        "The signatures verify from the root down to the domain. When they do not, most resolvers say that it does not exist.",
        "RFC 4035 5",
        _REPAIR,
    ),
    Subtest(
        "dnssec_mx_exists",
        "dnssec",
        "mail_dnssec_mx_exist",
        "The mail servers' names are signed",
        _REQUIRED,
        _FAIL,
        _NOTICE,
        None,
        "The zones in which the mail servers have their names are signed; without it DANE cannot work there.",
        "RFC 4033, RFC 7672 2.2",
        _SIGN + " It is the mail servers' zone that matters here.",
    ),
    Subtest(
        "dnssec_mx_valid",
        "dnssec",
        "mail_dnssec_mx_valid",
        "The mail servers' signatures are right",
        _REQUIRED,
        _FAIL,
        _NOTICE,
        None,
        "The signatures of the mail servers' names verify. When they do not, careful senders do not deliver.",
        "RFC 4035 5, RFC 7672 2.1",
        _REPAIR,
    ),
)

AUTH = (
    Subtest(
        "dmarc",
        "auth",
        "mail_auth_dmarc_exist",
        "DMARC: there is a record",
        _REQUIRED,
        _FAIL,
        _FAIL,
        10,
        "At `_dmarc.` and the domain (or its organizational domain) stands exactly one record that says what receivers shall do with "
        "mail that only pretends to come from it.",
        "RFC 9989 4.5",
        "Publish one TXT record at `_dmarc.DOMAIN`: `v=DMARC1; p=reject; rua=mailto:dmarc@DOMAIN`.",
    ),
    Subtest(
        "dmarc_policy",
        "auth",
        "mail_auth_dmarc_policy",
        "DMARC: the policy protects",
        _REQUIRED,
        _FAIL,
        _FAIL,
        10,
        "The record can be read, asks for quarantine or reject, and those who shall get reports have agreed.",
        "RFC 9989 4.7, RFC 9990 4 (reports to others)",
        "Begin the record with `v=DMARC1; p=quarantine` or `p=reject` (sp= too, when it stands above), without t=y. Reports to another "
        "domain need `v=DMARC1;` at `DOMAIN._report._dmarc.OTHER`.",
    ),
    Subtest(
        "dkim",
        "auth",
        "mail_auth_dkim_exist",
        "DKIM: there is a place for keys",
        _REQUIRED,
        _FAIL,
        _FAIL,
        10,
        "The name `_domainkey.` and the domain exists, which it does when a key is published below it. Keys themselves are found "
        "only by the selectors in mail. A domain that sends nothing and says so is excused.",
        "RFC 6376 3.6.2, RFC 8020",
        "Publish a DKIM key at `SELECTOR._domainkey.DOMAIN` and sign with it (`mailsrv dkim rotate`). The name servers must answer for "
        "`_domainkey.DOMAIN` with no data, not with no such name.",
    ),
    Subtest(
        "spf",
        "auth",
        "mail_auth_spf_exist",
        "SPF: there is a record",
        _REQUIRED,
        _FAIL,
        _FAIL,
        10,
        "At the domain stands exactly one TXT record that begins with `v=spf1` and says which hosts may send in its name.",
        "RFC 7208 4.5",
        "Publish one TXT record, and no second: `v=spf1 mx -all`, or `v=spf1 -all` for a domain that sends nothing.",
    ),
    Subtest(
        "spf_policy",
        "auth",
        "mail_auth_spf_policy",
        "SPF: the policy protects",
        _REQUIRED,
        _FAIL,
        _FAIL,
        10,
        "The record and all that it includes can be read, ends in -all or ~all, and needs no more than ten look-ups.",
        "RFC 7208 4.6.4 and 5",
        "End the record with `-all` or `~all`; remove includes that are not needed or do not exist, until ten look-ups are enough.",
    ),
)
