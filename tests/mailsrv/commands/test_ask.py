"""`mailsrv ask --transport`: why mail for a domain would be encrypted as it would, for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.lab.dnstree import DnsTree
    from tests.lab.mx import Mx
    from tests.lab.pki import Pki

RUN = "import sys; from mailsrv.command import main; from mailsrv.commands.ask import ask; sys.exit(main(sys.argv[1:], ask))"


def asked(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", RUN, *words]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


def test_probe_alone_means_nothing() -> None:
    done = asked("example.org", "--probe")
    assert (done.returncode, "say --transport --probe" in done.stderr) == (64, True)


@pytest.mark.lab
def test_without_transport_it_is_a_look_up(dnstree: DnsTree) -> None:
    done = asked("_25._tcp.mx1.example.org", "TLSA")
    assert (done.returncode, done.stdout.startswith("secure: proven")) == (0, True)


@pytest.mark.lab
@pytest.mark.parametrize(
    "domain,status,said",
    [
        ("example.org", 0, ["proven by DNSSEC", "mx1.example.org", "3 1 1 abababab", "dane", "MTA-STS: none"]),
        ("unsigned.org", 0, ["found without any proof", "opportunistic", "nothing proves that mx1.unsigned.org"]),
        ("bogus.org", 1, ["no mail now", "the TLSA records of mx1.bogus.org cannot be known now"]),
        ("expired.org", 75, ["the MX of expired.org cannot be known now"]),
        ("nowhere.org", 1, ["there is no domain nowhere.org"]),
    ],
)
def test_for_people(dnstree: DnsTree, domain: str, status: int, said: list[str]) -> None:
    done = asked(domain, "--transport")
    assert done.returncode == status, done.stderr
    assert [word for word in said if word not in done.stdout] == [], done.stdout


@pytest.mark.lab
def test_a_probe_says_what_the_certificate_proves(clean_zone: DnsTree, pki: Pki, mx: Mx) -> None:
    from tests.lab.network import MX, MX6

    keys = pki.issue(["mx1.example.org"])
    for address in (MX, MX6):
        mx.listen(address, 25, keys)
    clean_zone.replace("_25._tcp.mx1.example.org", "TLSA", keys.association)
    done = asked("example.org", "--transport", "--probe")
    assert done.returncode == 0, done.stderr
    assert "verified by TLSv1.3, a certificate for mx1.example.org until" in done.stdout
    clean_zone.replace("_25._tcp.mx1.example.org", "TLSA", "3 1 1 " + "ef" * 32)
    done = asked("example.org", "--transport", "--probe", "--json")
    assert done.returncode == 1
    (host,) = json.loads(done.stdout)["hosts"]
    assert (host["policy"]["name"], host["probe"]["trouble"], host["probe"]["trust"]) == (
        "dane",
        "validation-failure",
        "",
    )
    assert "none of those in its TLSA records" in host["probe"]["said"]
    assert mx.messages == []
