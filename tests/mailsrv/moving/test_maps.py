"""A Dovecot passwd-file and Postfix's maps become accounts and aliases of ours; the hashes are those that doveadm made."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from dnsops.base import settings as configuration
from dnsops.records import names
from mailsrv.commands.move import move
from mailsrv.directory import hashes
from mailsrv.moving import maps
from mailsrv.moving.foreign import Plan

PASSWD = """# users
jane@example.org:{SSHA256}%s:5000:5000::/var/vmail/jane::userdb_quota_rule=*:bytes=2G
john:{PLAIN}sesame::::::nologin
ghost:
odd@example.org:{NO-SUCH}x
jane@example.org:{PLAIN}again
"""
VIRTUAL = """info@example.org  jane@example.org, john@example.org
sales@example.org
    jane@example.org
@example.net\tjane@example.org
jane@example.org jane@example.org
nobody@example.org /dev/null
example.org anything
"""
ALIASES = 'postmaster: root\nroot: jane@example.org\nrobot: "|/usr/bin/robot"\n'
SSHA = "Tt5WqwbcXJ0Y8XSGfAHAVbBQwLFRCgKrM/cpjTgrxxoAAAAA"


def planned() -> Plan:
    pairs = [*maps.virtual(VIRTUAL), *maps.aliases(ALIASES, "example.org")]
    refuse = lambda line: "unknown" if line.startswith("{NO") else ""  # noqa: E731
    return maps.planned(
        maps.passwd_file(PASSWD % SSHA), pairs, "example.org", lambda password: f"{{PLAIN}}{password}", refuse
    )


def test_users_aliases_and_what_is_left() -> None:
    plan = planned()
    assert [(one.name, one.addresses, one.hash.reveal(), one.quota, one.enabled) for one in plan.people] == [
        ("jane@example.org", ("jane@example.org",), "{SSHA256}" + SSHA, 2 << 30, True),
        ("john", ("john@example.org",), "{PLAIN}sesame", 0, False),
    ]
    assert plan.aliases == {
        "info@example.org": ("jane@example.org", "john"),
        "sales@example.org": ("jane@example.org",),
        "postmaster@example.org": ("root@example.org",),
        "root@example.org": ("jane@example.org",),
    }
    assert plan.catch_all == {"example.net": "jane@example.org"}
    assert [one.where for one in plan.left] == [
        "ghost",
        "odd@example.org",
        "jane@example.org",
        "nobody@example.org",
        "example.org",
        "robot@example.org",
    ]


@pytest.mark.parametrize("scheme", ["SHA512-CRYPT", "BLF-CRYPT", "SSHA512", "ARGON2ID", "PBKDF2", "SCRAM-SHA-256"])
def test_what_doveadm_hashes_still_opens(scheme: str, tmp_path: Path) -> None:
    program = shutil.which("doveadm", path="/usr/bin:/usr/sbin")
    assert program, "Debian's dovecot-core has it"
    made = subprocess.run(
        [program, "-c", "/dev/null", "pw", "-s", scheme, "-p", "sesame"], capture_output=True, text=True, check=True
    )
    (tmp_path / "users").write_text(f"jane@example.org:{made.stdout.strip()}:::::\n")
    out = tmp_path / "out"
    words = ["dovecot", "--passwd", str(tmp_path / "users"), "--output", str(out)]
    looked = CliRunner().invoke(move, [*words, "--dry-run"], standalone_mode=False)
    assert (looked.return_value, out.exists()) == (2, False)
    CliRunner().invoke(move, words, standalone_mode=False, catch_exceptions=False)
    [jane] = configuration.load(out / "mailsrv.yml", names.host).accounts
    assert jane.password_hash
    stored = hashes.read(jane.password_hash.reveal())
    assert [stored.check(word) for word in (b"sesame", b"wrong")] == [True, False]
