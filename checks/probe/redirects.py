"""Where a web server may send a mail program that asks it for its settings; nothing is touched here.

    follow("https://autoconfig.example.org/a", "/b")    ->  "https://autoconfig.example.org/b"

After HTTPS only HTTPS: otherwise whoever is on the way names the servers. Only the usual ports, only names (a certificate is of a name),
and nobody's password in the address. Standards: RFC 9110 10.2.2 and 15.4, RFC 3986 5. Limits: LONGEST characters, MOST steps.
Fails by: `ForUser`, with what is wrong about it.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

from dnsops.base.errors import ForUser
from dnsops.base.printable import printable
from dnsops.records import names

MOST = 5
LONGEST = 2048
STATUSES = frozenset({301, 302, 303, 307, 308})
_PORTS = {"https": (None, 443), "http": (None, 80)}
_ADVICE = "let it lead to the document itself, by https"


def follow(url: str, location: str) -> str:
    """The next address, whole, without its fragment."""
    if len(location) > LONGEST or not location or not location.isascii() or not location.isprintable():
        raise ForUser("it redirects to what is no address", "", _ADVICE)
    try:
        after = urlsplit(urljoin(url, location.strip()))
        port, host = after.port, after.hostname or ""
    except ValueError:
        raise ForUser("it redirects to what is no address", "", _ADVICE) from None
    shown = printable(after.geturl()[:200])
    if after.scheme not in _PORTS:
        raise ForUser(f"it redirects to {shown}, which is not of the Web", "", _ADVICE)
    if after.scheme == "http" and url.startswith("https:"):
        raise ForUser(f"it redirects from https to {shown}: whoever is on the way can name other servers", "", _ADVICE)
    if port not in _PORTS[after.scheme] or after.username is not None:
        raise ForUser(f"it redirects to {shown}: no program goes to another port, or with a login", "", _ADVICE)
    path = (after.path or "/") + (f"?{after.query}" if after.query else "")
    if " " in path:
        raise ForUser("it redirects to what is no address", "", _ADVICE)
    return f"{after.scheme}://{names.host(host)}{path}"
