"""What the READMEs show to copy is right: configurations load, units are understood by systemd."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dnsops.base import settings
from dnsops.records import names

ROOT = Path(__file__).parents[2]
README = (ROOT / "mailsrv" / "README.md").read_text()


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_configuration_to_copy_can_be_served(tmp_path: Path) -> None:
    shown = blocks("yaml")
    assert shown
    for text in shown:
        whole = text if "hostname:" in text else shown[0] + text  # some blocks show a section more
        (tmp_path / "mailsrv.yml").write_text(whole)
        loaded = settings.load(tmp_path / "mailsrv.yml", names.host)
        assert loaded.accounts


def test_the_unit_to_copy_is_understood(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    (unit,) = blocks("ini")
    file = tmp_path / "mailsrv.service"
    file.write_text(unit.replace("/opt/mailsrv/bin/mailsrv", "/bin/true").replace("User=mailsrv", "User=daemon"))
    done = subprocess.run(["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "mailsrv.service" in line]
    assert complaints == []
