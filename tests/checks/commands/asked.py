"""A check's command as a person calls it: its words in, exit status and output out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
CALL = (
    "import sys; from mailsrv.command import Wings, main; from mailsrv.installed import Entry; "
    "sys.exit(main(command=Wings([Entry('check', 'checks.commands.check', 'check')])))"
)


@dataclass(frozen=True)
class Told:
    status: int
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """The first result of a JSON document."""
        found: dict[str, Any] = json.loads(self.stdout)["results"][0]
        return found

    def subtest(self, name: str) -> dict[str, Any]:
        result = self.result
        tests = [*result["beyond"], *({"id": key, **one} for group in result["categories"].values() for key, one in group["subtests"].items())]  # fmt: skip
        return next(one for one in tests if one["id"] == name)


def check(*words: object, data: bytes = b"", **env: str) -> Told:
    done = subprocess.run(
        [sys.executable, "-c", CALL, "check", *map(str, words)],
        input=data, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        check=False, timeout=120,
    )  # fmt: skip
    return Told(done.returncode, done.stdout.decode(), done.stderr.decode())
