"""From what a person writes, `cloudflare` or `rfc2136:ns1.example.org`, to the provider with its credentials.

    provider                  credential, the first of:  given with it   from the environment            from systemd
    cloudflare                the API token              yes             TOKEN, CLOUDFLARE_API_TOKEN     cloudflare-token
    rfc2136:SERVER[:PORT]     the TSIG key               yes             RFC2136_KEY_FILE (a path)       tsig-key
    zonefile:PATH             none; PATH is a zone file, or a directory with a ZONE.zone for each (with a / at its end)
    octodns:FILE#NAME         in FILE, octoDNS's own configuration; NAME is one of its providers

Nothing is imported or asked before it is needed: each provider's file is imported when it is chosen.
Fails by: `Misused` for a provider that is none, `Misconfigured` when a credential is missing, telling every way to give it.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dnsops.base import files, secrets
from dnsops.base.errors import Misconfigured, Misused
from dnsops.base.secrets import Secret
from dnsops.providers.door import Provider

FORMS = ("cloudflare", "rfc2136:SERVER[:PORT]", "zonefile:PATH", "octodns:FILE#NAME")
LARGEST_KEY_FILE = 65536


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person handed over, each part optional, and where else to look."""

    token: Secret | None
    key_file: Path | None
    key: Secret | None
    environ: Mapping[str, str] = field(repr=False)

    def env(self, name: str) -> str:
        return self.environ.get(name, "").strip()

    def passed(self, name: str) -> Path | None:
        """The file of a systemd credential, when there is one (systemd.exec(5), LoadCredential=)."""
        folder = self.env("CREDENTIALS_DIRECTORY")
        path = Path(folder) / name
        return path if folder and path.is_file() else None


def parse(
    spec: str,
    token: Secret | None = None,
    key_file: Path | None = None,
    key: Secret | None = None,
    environ: Mapping[str, str] | None = None,
) -> Provider:
    """The provider that `spec` names. key: a TSIG key's text, in either form. environ: instead of the process's own."""
    kind, _, rest = spec.strip().partition(":")
    make = PROVIDERS.get(kind.lower())
    if make is None:
        raise Misused(f"there is no provider {kind!r}", "--provider", _advice(kind))
    return make(rest.strip(), Credentials(token, key_file, key, os.environ if environ is None else environ))


def _cloudflare(rest: str, credentials: Credentials) -> Provider:
    if rest:
        raise Misused(f"cloudflare takes nothing after it: {rest[:40]!r}", "--provider", "zones come from the token")
    from dnsops.providers.cloudflare import Cloudflare

    return Cloudflare(_token(credentials), credentials.env("CLOUDFLARE_BASE_URL") or None)


def _token(credentials: Credentials) -> Secret:
    if credentials.token:
        return credentials.token
    for name in ("TOKEN", "CLOUDFLARE_API_TOKEN"):
        if value := credentials.env(name):
            return Secret(value)
    if path := credentials.passed("cloudflare-token"):
        return secrets.from_file(path)
    raise Misconfigured(
        "the Cloudflare API token is missing",
        "--provider cloudflare",
        "set TOKEN or CLOUDFLARE_API_TOKEN, or dns.token in the configuration, "
        "or add LoadCredential=cloudflare-token:FILE to the unit",
    )


def _rfc2136(rest: str, credentials: Credentials) -> Provider:
    from dnsops.providers.exchange import Exchange, Server
    from dnsops.providers.rfc2136 import Rfc2136
    from dnsops.providers.tsig import parse as parse_key

    host, port = _server(rest)
    text, where = _key(credentials)
    return Rfc2136(Exchange(Server(host, port), parse_key(text.reveal(), where)))


def _key(credentials: Credentials) -> tuple[Secret, str]:
    """The key's text, and where it was found."""
    if credentials.key:
        return credentials.key, "the TSIG key"
    from_env = credentials.env("RFC2136_KEY_FILE")
    path = credentials.key_file or (Path(from_env) if from_env else credentials.passed("tsig-key"))
    if path is None:
        raise Misconfigured(
            "the TSIG key is missing",
            "--provider rfc2136",
            "name its file with --tsig-key or in RFC2136_KEY_FILE, or add LoadCredential=tsig-key:FILE to the unit",
        )
    return _key_text(path), str(path)


def _key_text(path: Path) -> Secret:
    try:
        return Secret(files.read_bounded(path, LARGEST_KEY_FILE).decode())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text, or too long"
        raise Misconfigured(
            f"the TSIG key file cannot be read ({reason})", str(path), "name a readable key file"
        ) from None


def _server(text: str) -> tuple[str, int]:
    """`ns1.example.org`, `192.0.2.53:5353`, `[2001:db8::53]:53`, `2001:db8::53`."""
    host, port = text, "53"
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":") or "53"
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if not host or len(host) > 253:
        raise Misused("rfc2136 needs the name or address of a server", "--provider", "write rfc2136:ns1.example.org")
    if not (port.isascii() and port.isdigit() and 1 <= int(port[:9]) <= 65535):
        raise Misused(f"port {port[:20]!r} does not exist", "--provider", "write a number from 1 to 65535")
    return host, int(port)


def _zonefile(rest: str, credentials: Credentials) -> Provider:
    if not rest:
        raise Misused("zonefile needs a path", "--provider", "write zonefile:/var/lib/knot/example.org.zone")
    from dnsops.providers.zonefile import ZoneFile
    from dnsops.providers.zonefiles import ZoneFiles

    folder = rest.endswith("/") or Path(rest).is_dir()
    return ZoneFiles(Path(rest)) if folder else ZoneFile(Path(rest))


def _octodns(rest: str, credentials: Credentials) -> Provider:
    file, _, name = rest.rpartition("#")
    if not file or not name:
        advice = "write octodns:/etc/octodns/production.yaml#NAME, NAME being one of its providers"
        raise Misused("octodns needs a file and the name of a provider in it", "--provider", advice)
    from dnsops.providers.octodns import OctoDns

    return OctoDns(Path(file), name)


PROVIDERS: dict[str, Callable[[str, Credentials], Provider]] = {
    "cloudflare": _cloudflare,
    "rfc2136": _rfc2136,
    "zonefile": _zonefile,
    "octodns": _octodns,
}


def _advice(kind: str) -> str:
    near = difflib.get_close_matches(kind.lower(), PROVIDERS, 1, 0.5)
    if near:
        return f"did you mean {near[0]}?"
    return f"write one of {', '.join(FORMS)}"
