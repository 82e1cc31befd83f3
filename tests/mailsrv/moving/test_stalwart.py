"""Stalwart's configuration up to 0.15 becomes one of ours: the same people log in with the same passwords, the same keys sign."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dnsops.base import settings as configuration
from dnsops.base.errors import ForUser
from dnsops.dkim.keys import Keys
from dnsops.records import names
from mailsrv.directory import hashes
from mailsrv.directory.address import Mailbox
from mailsrv.directory.book import Book
from mailsrv.moving import stalwart
from mailsrv.moving.foreign import Plan, size
from tests.lab.pki import Pki
from tests.mailsrv.moving.test_imap import MOVE

SHA512 = "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/"
BCRYPT = "$2b$04$abcdefghijklmnopqrstuuKXgcXn5nWqCVDCbNtCGaZDMyOMQbbfa"
TOML = f"""
[server]
hostname = "mx1.example.org"
[server.listener.smtp]
bind = ["[::]:25"]
protocol = "smtp"

[directory."memory"]
type = "memory"

[[directory."memory".principals]]
class = "admin"
name = "jane"
description = "Jane"
secret = "%{{env:MOVED_SECRET}}%"
email = ["jane@example.org", "@example.org", "j.doe@example.net"]
member-of = ["sales"]
quota = 1073741824

[[directory."memory".principals]]
class = "individual"
name = "john"
secret = ["{SHA512}", "$app$phone${BCRYPT}", "otpauth://totp/x"]
email = "john@example.org"
member-of = ["sales"]

[[directory."memory".principals]]
class = "individual"
name = "nobody"
secret = "$unknown$x"
email = ["nobody@example.org"]

[[directory."memory".principals]]
class = "group"
name = "sales"
email = ["sales@example.org"]

[signature."rsa-example.org"]
private-key = "%{{file:FOLDER/rsa.pem}}%"
domain = "example.org"
selector = "202401r"
algorithm = "rsa-sha256"

[signature."ed-example.org"]
private-key = "%{{file:FOLDER/ed.pem}}%"
domain = "example.org"
selector = "202401e"
algorithm = "ed25519-sha256"

[signature.lost]
private-key = "%{{file:FOLDER/none.pem}}%"
domain = "example.net"
selector = "a"

[certificate.default]
cert = "%{{file:FOLDER/tls.pem}}%"
private-key = "%{{file:FOLDER/tls.key}}%"
default = true
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, key in (("rsa", rsa.generate_private_key(65537, 2048)), ("ed", ed25519.Ed25519PrivateKey.generate())):
        form = PrivateFormat.TraditionalOpenSSL if name == "rsa" else PrivateFormat.PKCS8
        (tmp_path / f"{name}.pem").write_bytes(key.private_bytes(Encoding.PEM, form, NoEncryption()))
    Pki(tmp_path).issue(["mx1.example.org"]).write(tmp_path, "tls")
    (tmp_path / "config.toml").write_text(TOML.replace("FOLDER", str(tmp_path)))
    return tmp_path


def run(folder: Path, *words: str, status: int = 0) -> Any:
    argv = [
        sys.executable,
        "-c",
        MOVE,
        "stalwart",
        *words,
        "--state",
        str(folder / "state"),
        "--output",
        str(folder / "out"),
        "--json",
    ]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env={"MOVED_SECRET": "sesame", "PYTHONPATH": str(Path.cwd())}
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "sesame" not in done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


def test_the_same_people_keys_and_certificate(folder: Path) -> None:
    looked = run(folder, str(folder / "config.toml"), "--dry-run", status=2)
    assert not (folder / "out").exists()
    assert not (folder / "state").exists()
    document = run(folder, str(folder / "config.toml"))
    assert document["taken"] == looked["taken"]
    settings = configuration.load(folder / "out" / "mailsrv.yml", names.host)
    jane, john = settings.accounts
    assert (jane.addresses, jane.quota) == (("jane@example.org", "j.doe@example.net"), "1 GiB")
    assert jane.password_hash
    assert hashes.read(jane.password_hash.reveal()).check(b"sesame")
    assert john.password_hash
    assert john.password_hash.reveal() == SHA512
    assert [(app.name, app.password_hash and app.password_hash.reveal()) for app in john.app_passwords] == [
        ("phone", BCRYPT)
    ]
    assert (settings.hostname, settings.domains) == ("mx1.example.org", ("example.org", "example.net"))
    book = Book.of(settings)
    assert [getattr(target, "name", "") for target in book.targets[Mailbox("sales", "example.org")]] == ["jane", "john"]
    assert settings.catch_all == {"example.org": "jane"}
    signers = Keys(folder / "state" / "dkim").signers("example.org")
    assert {(one.selector, one.algorithm) for one in signers} == {("202401r", "rsa"), ("202401e", "ed25519")}
    assert all(one.key for one in signers)
    assert Path(str(settings.tls.certificate)).read_text().strip() == (folder / "tls.pem").read_text().strip()
    for path in (folder / "out").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    left = {one["where"].split(" ")[0]: one["why"] for one in document["left"]}
    assert {"server", "signature.lost", "directory.memory.principals.1", "directory.memory.principals.2"} <= left.keys()
    assert "is there already" in run(folder, str(folder / "config.toml"), status=64)


def test_nixos_settings_nested_or_dotted_say_the_same() -> None:
    person = {"class": "individual", "name": "jane", "secret": SHA512, "email": ["jane@example.org"]}
    nested = {
        "server": {"hostname": "mx1.example.org"},
        "directory": {"in-memory": {"type": "memory", "principals": [person]}},
    }
    dotted = {
        "server.hostname": "mx1.example.org",
        "directory.in-memory.type": "memory",
        "directory.in-memory.principals": [person],
    }
    plans = [planned(json.dumps(document)) for document in (nested, dotted)]
    assert plans[0] == plans[1]
    assert [one.name for one in plans[0].people] == ["jane"]


def planned(text: str) -> Plan:
    return stalwart.planned(
        stalwart.settings(text), lambda kind, name: "", lambda password: "{PLAIN}x", lambda line: ""
    )


@pytest.mark.parametrize("text", ["", "x = ", "[" * 100_000, "{" * 100_000, '{"a": NaN', "a = 1\na = 2"])
def test_what_is_no_configuration_is_said(text: str) -> None:
    if text:
        with pytest.raises(ForUser, match="neither TOML nor JSON"):
            stalwart.settings(text)
    else:
        assert planned("").people == []


@pytest.mark.parametrize(
    "octets, text",
    [(1, "1 B"), (1 << 20, "1 MiB"), (1536, "1536 B"), (2_000_000_001, "1953126 KiB"), (10**18 + 1, "931322575 GiB")],
)
def test_a_quota_is_written_as_ours_are(octets: int, text: str) -> None:
    assert size(octets) == text


def test_a_domain_that_signs_already_keeps_its_keys(folder: Path) -> None:
    keys, now = Keys(folder / "dkim"), datetime(2026, 1, 1, tzinfo=UTC)
    keys.make_next("example.org", ("ed25519",), now)
    before = keys.ring("example.org")
    with pytest.raises(ForUser, match="keys of its own"):
        keys.adopt("example.org", [("a", (folder / "ed.pem").read_bytes())], now)
    for name, pem in (("A_b", (folder / "ed.pem").read_bytes()), ("a", b"x")):
        with pytest.raises(ForUser):
            keys.adopt("example.net", [(name, pem)], now)
    assert (keys.ring("example.org"), keys.ring("example.net").generations) == (before, ())
