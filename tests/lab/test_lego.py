"""Debian's lego gets a certificate from pebble by RFC 2136: the tree takes updates from someone else's client too."""

import os
import shutil
import subprocess

import pytest
from cryptography import x509

from tests.lab.dns_conf import TSIG_ALGORITHM, TSIG_NAME, TSIG_SECRET
from tests.lab.network import PRIMARY, RESOLVER


def test_lego_issues_by_rfc_2136(pebble, pki, clean_zone, tmp_path):
    if not shutil.which("lego"):
        pytest.skip("lego is not installed")
    update = {
        "NAMESERVER": PRIMARY,
        "TSIG_ALGORITHM": f"{TSIG_ALGORITHM}.",
        "TSIG_KEY": TSIG_NAME,
        "TSIG_SECRET": TSIG_SECRET,
    }
    pace = {"POLLING_INTERVAL": "1", "SEQUENCE_INTERVAL": "1", "TTL": "60"}
    environ = os.environ | pki.trusted | {f"RFC2136_{name}": value for name, value in (update | pace).items()}
    command = [
        "lego",
        "--accept-tos",
        "-m",
        "user1@example.org",
        "-s",
        pebble.url,
        "--path",
        str(tmp_path),
        "-d",
        "mx1.example.org",
    ]
    command += ["--dns", "rfc2136", "--dns.resolvers", f"{RESOLVER}:53", "run"]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    leaf = x509.load_pem_x509_certificate((tmp_path / "certificates/mx1.example.org.crt").read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mx1.example.org"]
    clean_zone.wait_for("_acme-challenge.mx1.example.org", "TXT", [])
