"""A shell inside the lab, for trying every command on real servers without a way out: `make shell`.

    with tour(...) as place:     # a directory with mx1.pem, the certificate that port 25 of mx1.example.org shows

The READMEs' examples are typed here, by a person and by tests/house/test_docs.py alike.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.acme import DIRECTORY_URL, Pebble
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import TSIG_ALGORITHM, TSIG_NAME, TSIG_SECRET, DnsTree
from tests.lab.mx import Mx
from tests.lab.network import CLOUDFLARE, MX, MX6, Unavailable, private_network
from tests.lab.pki import Pki

WELCOME = """
You are in the lab: a network of your own, without a way out; it ends with this shell.
  zones     example.org, nsec.org (signed)  unsigned.org nods.org  bogus.org expired.org missig.org
  servers   knot 192.0.2.1 and .2, unbound 192.0.2.53, https://api.cloudflare.com (the lab's)
  mail      mx1.example.org:25 shows the certificate in ./mx1.pem
  acme      $PEBBLE (pebble), trusted by ca.pem
  you have  CLOUDFLARE_API_TOKEN, a TSIG key in ./tsig.key for rfc2136:192.0.2.1
Try: mailsrv tlsa plan --source pem:mx1.pem --host mx1.example.org --provider cloudflare
"""


@dataclass(frozen=True)
class Tour:
    """Where commands are typed, and with which environment."""

    place: Path
    environment: dict[str, str]


@contextmanager
def tour(place: Path, tree: DnsTree, pki: Pki, api: CloudflareApi, mx: Mx) -> Iterator[Tour]:
    """Everything that the READMEs' examples presume, in the directory `place`."""
    credentials = pki.issue(["mx1.example.org"])
    for address in (MX, MX6):
        mx.listen(address, 25, credentials)
    (place / "mx1.pem").write_bytes(credentials.chain)
    (place / "tsig.key").write_text(f"{TSIG_ALGORITHM}:{TSIG_NAME}:{TSIG_SECRET}\n")
    (place / "ca.pem").write_bytes(pki.ca.read_bytes())
    (place / "token").write_text(api.token + "\n")
    for secret in ("tsig.key", "token"):
        (place / secret).chmod(0o600)
    programs = Path(sys.executable).parent
    environment = {
        "CLOUDFLARE_API_TOKEN": api.token,
        "PEBBLE": DIRECTORY_URL,
        "STATE_DIRECTORY": str(place / "state"),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PS1": "lab$ ",
    }
    yield Tour(place, {**os.environ, **environment})


def main() -> int:
    try:
        with ExitStack() as stack:
            directory = stack.enter_context(private_network())
            tree = stack.enter_context(DnsTree(directory))
            pki = stack.enter_context(Pki(directory))
            api = stack.enter_context(CloudflareApi(["example.org", "nsec.org"], tree, CLOUDFLARE, 443, pki.api))
            mx = stack.enter_context(Mx())
            stack.enter_context(Pebble(directory, pki))
            place = directory / "tour"
            place.mkdir()
            visit = stack.enter_context(tour(place, tree, pki, api, mx))
            print(WELCOME, flush=True)
            return subprocess.run(["bash", "--norc"], cwd=visit.place, env=visit.environment, check=False).returncode
    except Unavailable as reason:
        print(f"shell: the lab cannot be had here: {reason}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
