"""What the READMEs say is typed in the lab: every ```console block, command by command, with its exit status and output.

A block's lines that begin with `$ ` are commands (`# exit 2` at their end: the exit status that is right), the others what is
printed: each must occur, in this order, blanks aside; `...` stands for anything. Set-up commands (git, make, apt) are not typed.
Also: links lead somewhere, the reference tables are those that the code declares, and the RFC table names RFCs.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dnsops.reconcile.certificate_report import SCHEMA as CERTIFICATE_SCHEMA
from dnsops.reconcile.dkim_report import SCHEMA as DKIM_SCHEMA
from dnsops.reconcile.report import SCHEMA
from dnsops.reconcile.zone_report import SCHEMA as ZONE_SCHEMA
from tests.lab.acme import Pebble
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.pki import Pki
from tests.lab.shell import tour

ROOT = Path(__file__).parents[2]
READMES = sorted(path for path in [ROOT / "README.md", *ROOT.glob("*/README.md")] if ".venv" not in path.parts)
SET_UP = ("git ", "make ", "cd ", "sudo ", "apt-get ", "systemctl ")
SECONDS = 60


@dataclass(frozen=True)
class Typed:
    """One command of a README and what it says that happens."""

    line: str
    status: int
    output: tuple[str, ...]


def commands(text: str) -> Iterator[Typed]:
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.replace("\\\n", " ").splitlines()
            line, _, status = lines[0].partition("# exit ")
            yield Typed(line.strip(), int(status or 0), tuple(line for line in lines[1:] if line.strip()))


def test_there_is_something_to_type() -> None:
    assert sum(len(list(commands(path.read_text()))) for path in READMES) > 20


@pytest.mark.parametrize("readme", READMES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_readme_keeps_nothing_of_a_merge(readme: Path) -> None:
    assert not re.findall(r"^(?:<{7}|={7}|>{7})(?: .*)?$", readme.read_text(), re.MULTILINE)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_a_readme_says_happens(
    readme: Path, dnstree: DnsTree, pki: Pki, cloudflare_api: CloudflareApi, pebble: Pebble, mx: Mx, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        visit = stack.enter_context(tour(tmp_path, dnstree, pki, cloudflare_api, mx))
        for typed in commands(readme.read_text()):
            if typed.line.startswith(SET_UP):
                continue
            done = subprocess.run(
                ["bash", "-c", typed.line], cwd=visit.place, env=visit.environment, capture_output=True, text=True,
                timeout=SECONDS, check=False,
            )  # fmt: skip
            said = done.stdout + done.stderr
            assert done.returncode == typed.status, f"$ {typed.line}\n{said}"
            assert in_order(typed.output, said), f"$ {typed.line}\n{said}\n--- the README says\n" + "\n".join(
                typed.output
            )


def in_order(wanted: tuple[str, ...], said: str) -> bool:
    lines = iter(" ".join(line.split()) for line in said.splitlines())
    for line in wanted:
        pattern = ".*".join(re.escape(part.strip()) for part in " ".join(line.split()).split("..."))
        if not any(re.search(pattern, given) for given in lines):
            return False
    return True


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(readme: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", readme.read_text())
    assert [link for link in links if not (readme.parent / link).exists()] == []


@pytest.mark.parametrize(
    "schema,prefix",
    [
        (SCHEMA, "results[]"),
        (DKIM_SCHEMA, "result"),
        (ZONE_SCHEMA, "zone"),
        (CERTIFICATE_SCHEMA, "certificate"),
    ],
    ids=["tlsa", "dkim", "zone", "certificate"],
)
def test_the_schema_in_the_readme_is_the_one_in_the_code(schema: dict[str, Any], prefix: str) -> None:
    result = schema["properties"]["results"]["items"]["properties"]
    text = (ROOT / "dnsops" / "README.md").read_text()
    told = re.findall(rf"^\| `{re.escape(prefix)}\.(\w+)`", text, re.MULTILINE)
    assert told == list(result)


def tables() -> str:
    """The READMEs with a table of standards."""
    return "".join((ROOT / place / "README.md").read_text() for place in (".", "mailsrv"))


def test_the_rfc_table_says_yes_partly_or_no() -> None:
    rows = re.findall(r"^\| (\d{3,4}) \|[^|]*\| (\w+) \|", tables(), re.MULTILINE)
    assert len(rows) > 20
    assert {state for _, state in rows} <= {"yes", "partly", "no"}


def test_every_rfc_that_the_code_cites_is_in_the_table() -> None:
    table = set(re.findall(r"^\| (\d{3,4}) \|", tables(), re.MULTILINE))
    cited = {
        number
        for wing in ("dnsops", "mailsrv", "timers", "checks", "playbooks")
        for path in (ROOT / wing).rglob("*.py")
        for number in re.findall(r"RFC (\d{3,4})", path.read_text())
    }
    assert cited - table == set()
