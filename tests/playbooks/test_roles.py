"""The roles for others: what they write is a configuration that mailsrv takes; and all playbooks parse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from dnsops.base import settings
from dnsops.records import names
from playbooks.finding import HERE, ours, surroundings
from timers.table import JOBS

GIVEN: dict[str, dict[str, Any]] = {
    "tlsa_timer": {"tlsa_timer_host": "mx1.example.org", "tlsa_timer_sources": ["certbot:mx1.example.org"]},
    "checks": {"checks_host": "mx1.example.org", "checks_domains": ["example.org", "example.net"]},
}


@pytest.mark.parametrize("role", sorted(GIVEN))
def test_what_a_role_writes_is_a_configuration(role: str, tmp_path: Path) -> None:
    place = HERE / "roles" / role
    defaults = yaml.safe_load((place / "defaults/main.yml").read_text())
    variables = yaml.safe_load((place / "tasks/main.yml").read_text())[0]["vars"]
    env = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    env.filters["to_json"] = json.dumps
    file = tmp_path / "mailsrv.yml"
    file.write_text(env.from_string(variables["timer_settings"]).render(**defaults, **GIVEN[role]))
    loaded = settings.load(str(file), names.host)
    assert loaded.hostname == "mx1.example.org"
    jobs = variables["timer_jobs"] if role == "tlsa_timer" else defaults["checks_jobs"]
    assert set(jobs) <= {job.name for job in JOBS}


@pytest.mark.parametrize("role", sorted(path.name for path in (HERE / "roles").iterdir()))
def test_every_default_is_explained(role: str) -> None:
    place = HERE / "roles" / role
    options = yaml.safe_load((place / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert yaml.safe_load((place / "defaults/main.yml").read_text()).keys() <= options.keys()
    assert all(option["description"] and option["type"] for option in options.values())


def test_every_playbook_parses() -> None:
    env = surroundings(os.environ, Path(sys.executable).parent)
    files = [str(HERE / f"{name}.yml") for name in ours()]
    done = subprocess.run(
        ["ansible-playbook", "--syntax-check", "-i", "localhost,", *files], capture_output=True, text=True, env=env
    )
    assert done.returncode == 0, done.stderr
