"""A person at the command line of a machine of their own: state directory, token, certificate files.

    done = shell.child("tlsa", "reconcile", ...)      # a process of its own, as cron starts it
    done = shell.here("tlsa", "plan", ...)            # the same command line in this process: half a second cheaper

Every token that a test uses is a canary: `Shell.told` collects all that any command printed, and `leaks` looks for the
token there and in every file of the state directory.
Fails by: `AssertionError` when an answer in JSON is not as its schema says, or a traceback is printed.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from dnsops.reconcile.report import SCHEMA
from mailsrv.command import main
from tests.lab.pki import Credentials

HOST = "mx1.example.org"
OWNER = f"_25._tcp.{HOST}"
PATIENCE = 120.0


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The run as JSON, held to the schema."""
        document: dict[str, Any] = json.loads(self.out)
        jsonschema.validate(document, SCHEMA)
        return document

    @property
    def action(self) -> str:
        return str(self.document["action"])

    @property
    def findings(self) -> str:
        """All findings of all places in one text."""
        return " | ".join(
            f"{finding['what']} - {finding['advice']}"
            for result in self.document["results"]
            for finding in result["findings"]
        )

    @property
    def said(self) -> list[str]:
        """What it told a person: stderr without the lines of the log."""
        return [line for line in self.err.splitlines() if not line.startswith("{")]


class Shell:
    """See the module. `environ`: what is set for every command."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self.home, self.environ = home, dict(environ)
        self.state = home / "state"
        self.told: list[str] = []

    def child(self, *words: str, prefix: tuple[str, ...] = (), whole: tuple[str, ...] = (), **environ: str) -> Done:
        """One command as a process of its own; `prefix` starts it (strace), `whole` takes its place (tests/journeys/dying)."""
        done = subprocess.run(
            [*whole, *words] if whole else [*prefix, *self.command(*words)],
            capture_output=True,
            text=True,
            env=self._environ(environ),
            timeout=PATIENCE,
            check=False,
        )
        return self._kept(Done(done.returncode, done.stdout, done.stderr))

    def start(self, *words: str, **environ: str) -> subprocess.Popen[str]:
        """A command in the background."""
        return subprocess.Popen(
            self.command(*words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environ(environ),
        )

    def here(self, *words: str, **environ: str) -> Done:
        """The same command line in this process."""
        out, err = io.StringIO(), io.StringIO()
        with _environment(self._environ(environ)), redirect_stdout(out), redirect_stderr(err):
            try:
                status = main(list(words))
            except SystemExit as leaving:
                status = int(leaving.code or 0)
        return self._kept(Done(int(status), out.getvalue(), err.getvalue()))

    def certificate(self, credentials: Credentials, name: str = "served") -> str:
        """The certificate in a file of ours; gives it as a source."""
        chain, _ = credentials.write(self.home, name)
        return f"pem:{chain}"

    @staticmethod
    def command(*words: str) -> list[str]:
        return [sys.executable, "-m", "mailsrv", *words]

    def leaks(self, *secrets: str) -> list[str]:
        """Where a secret can be read that must not be."""
        texts = {f"output {number}": text for number, text in enumerate(self.told)}
        texts |= {str(path): path.read_text(errors="replace") for path in self.state.rglob("*") if path.is_file()}
        return [place for place, text in texts.items() if any(secret in text for secret in secrets)]

    def _environ(self, more: Mapping[str, str]) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CLOUDFLARE_", "TOKEN"))}
        merged = {**inherited, "STATE_DIRECTORY": str(self.state), **self.environ, **more}
        return {name: value for name, value in merged.items() if value}

    def _kept(self, done: Done) -> Done:
        assert "Traceback" not in done.err, done.err
        self.told += [done.out, done.err]
        return done


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
