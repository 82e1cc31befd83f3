"""The units say what the table says, systemd accepts them, and what they forbid is not needed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import Misconfigured
from dnsops.base.settings import tree
from dnsops.base.settings.load import check
from timers.table import JOBS, find
from timers.units import Place, place_of, service, timer, units

TLSA = JOBS[0]
systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")


def place(text: str) -> Place:
    settings = check(tree.parse(f"hostname: a.example.org\n{text}".encode(), Path("/etc/mailsrv/mailsrv.yml")))
    return place_of(settings, "/usr/bin/mailsrv", "/etc/mailsrv/mailsrv.yml")


def test_the_times_of_the_article() -> None:
    lines = timer(TLSA).splitlines()
    assert {"OnBootSec=120s", "OnUnitActiveSec=300s", "RandomizedDelaySec=30s", "WantedBy=timers.target"} <= set(lines)


def test_without_a_configuration_the_token_is_where_the_documentation_says() -> None:
    lines = service(TLSA, Place()).splitlines()
    assert "LoadCredential=cloudflare-token:/etc/mailsrv/cloudflare-token" in lines
    assert "StateDirectory=mailsrv" in lines
    assert "SuccessExitStatus=75" in lines
    assert "ExecStart=/usr/bin/mailsrv timers run tlsa" in lines


LINES = [
    ("", []),
    ("dns: {provider: cloudflare, token: !file t}", ["LoadCredential=t:/etc/mailsrv/t"]),
    ("dns: {provider: cloudflare, token: !credential t}", ["LoadCredential=t:t"]),
    ("dns: {provider: cloudflare, token: !env T}", []),
    ("dns: {provider: rfc2136, server: ns, key_file: /k/tsig.key}", ["LoadCredential=tsig.key:/k/tsig.key"]),
    ("dns: {provider: zonefile, path: /z/a.zone}", ["ReadWritePaths=/z"]),
    ("acme: {eab: {key_id: kid-1, hmac_key: !file /e/eab}}", ["LoadCredential=eab:/e/eab"]),
    ("state: {directory: /srv/state}", ["ReadWritePaths=/srv/state"]),
    ("backup: {place: /b, identity: /k/id}", ["LoadCredential=id:/k/id"]),
    (
        "backup: {place: 's3://mail', access_key: !file a, secret_key: !file /s}",
        ["LoadCredential=a:/etc/mailsrv/a", "LoadCredential=s:/s"],
    ),
    (
        "tlsa: {targets: [{host: b.example.org, credential: !file /s, dns: {provider: cloudflare, token: !file /u}}]}",
        ["LoadCredential=u:/u", "LoadCredential=s:/s"],
    ),
]


@pytest.mark.parametrize("text, wanted", LINES)
def test_what_the_configuration_reads_and_writes_is_handed_over(text: str, wanted: list[str]) -> None:
    lines = service(TLSA, place(text)).splitlines()
    assert [line for line in lines if line.startswith(("LoadCredential", "ReadWritePaths"))] == wanted
    assert ("StateDirectory=mailsrv" in lines) == ("state:" not in text)
    assert "Environment=MAILSRV_CONFIG=/etc/mailsrv/mailsrv.yml" in lines


def test_only_backups_write_where_backups_lie_and_their_directory_is_made() -> None:
    here = place("backup: {place: /srv/my backups}")
    lines = service(find(JOBS, "backup"), here).splitlines()
    assert 'ReadWritePaths="-/srv/my backups"' in lines
    (made,) = [line for line in lines if line.startswith("ExecStartPre")]
    assert made.endswith('"/srv/my backups"')
    assert "/srv/my backups" not in service(TLSA, here)
    assert "ExecStartPre" not in service(find(JOBS, "backup"), place("backup: {place: 's3://mail/mx1'}"))


def test_two_secrets_of_one_name_are_refused() -> None:
    with pytest.raises(Misconfigured, match="under one name"):
        place(
            "dns: {provider: cloudflare, token: !file /a/token}\n"
            "tlsa: {targets: [{host: b.example.org, credential: !file /b/token}]}"
        )


def test_words_that_systemd_would_read_otherwise() -> None:
    odd = service(TLSA, Place(program='/opt/my mail/100%/$x"y'))
    assert 'ExecStart="/opt/my mail/100%%/$$x\\"y" timers run tlsa' in odd


def test_a_disabled_job_has_no_units() -> None:
    assert units([replace(TLSA, enabled=False)], Place()) == {}
    assert {"mailsrv-tlsa.service", "mailsrv-tlsa.timer"} < units(JOBS, Place()).keys()
    assert sorted(units([TLSA], Place())) == ["mailsrv-tlsa.service", "mailsrv-tlsa.timer"]
    assert len(units(JOBS, Place())) == 2 * len(JOBS)


@systemd
def test_systemd_accepts_them(tmp_path: Path) -> None:
    every = [replace(TLSA, jitter=timedelta(0)), find(JOBS, "backup")]
    for text in (
        "",
        "backup: {place: /srv/my backups}",
        "state: {directory: /srv/my state}",
        "dns: {provider: cloudflare, token: !file t}",
    ):
        for name, unit in units(every, replace(place(text), program=sys.executable)).items():
            (tmp_path / name).write_text(unit, encoding="utf-8")
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / name)],
                capture_output=True,
                text=True,
                timeout=60,
            )
            ours = [line for line in (done.stdout + done.stderr).splitlines() if "mailsrv" in line]
            assert (done.returncode, ours) == (0, [])


@systemd
def test_the_service_is_as_closed_as_systemd_can_say(tmp_path: Path) -> None:
    unit = tmp_path / "mailsrv-tlsa.service"
    unit.write_text(service(TLSA, Place()), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    print(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout  # threshold=20: an exposure level above 2.0 is an error


# PR_SET_MDWE (prctl(2), Linux 6.3) refuses what MemoryDenyWriteExecute=yes refuses: memory that is writable and executable
UNDER_MDWE = """
import ctypes, mmap, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0):
    sys.exit("no PR_SET_MDWE")
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    sys.exit("it does not refuse")
except OSError:
    pass
try:
    unbound = ctypes.CDLL("libunbound.so.8")
except OSError:
    sys.exit("no libunbound")
unbound.ub_ctx_create.restype = ctypes.c_void_p
context = ctypes.c_void_p(unbound.ub_ctx_create())
unbound.ub_ctx_zone_add(context, b"example.", b"static")
unbound.ub_ctx_data_add(context, b"a.example. 60 IN A 192.0.2.1")
heard = []
callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(lambda d, error, r: heard.append(error))
unbound.ub_resolve_async(context, b"a.example", 1, 1, None, callback, ctypes.byref(ctypes.c_int()))
unbound.ub_wait(context)
import rocksdict, cryptography.x509
print(heard)
"""


def test_libunbound_calls_back_without_writable_code() -> None:
    done = subprocess.run([sys.executable, "-c", UNDER_MDWE], capture_output=True, text=True, timeout=60)
    if done.stderr.startswith("no "):
        pytest.skip(done.stderr.strip())
    assert done.stdout == "[0]\n", done.stderr
