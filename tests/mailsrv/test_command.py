"""The root command: cheap to start, and every story ends with one sentence and the right exit status."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import click
import pytest

from dnsops.base.errors import ForUser, Later, Misconfigured
from mailsrv.command import Wings, first_line, main
from mailsrv.installed import Entry

HEAVY = {"rich", "pydantic", "asyncio", "cloudflare", "requests", "apscheduler", "dns", "cryptography", "idna", "yaml"}


def python(code: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, env={**os.environ, **env}
    )


def test_help_imports_nothing_heavy_and_none_of_the_wings() -> None:
    code = "import sys; from mailsrv.command import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = python(code)
    loaded = set(done.stderr.split())
    assert loaded & HEAVY == set()
    assert {name for name in loaded if name.startswith(("timers.", "dnsops.commands."))} == set()
    help_lines = {line.split()[0]: line for line in done.stdout.partition("Commands:")[2].splitlines() if line.strip()}
    assert "What happens by itself" in help_lines["timers"]
    assert "Check, show and explain the configuration" in help_lines["config"]


def test_the_module_form_and_the_version() -> None:
    done = subprocess.run([sys.executable, "-m", "mailsrv", "--version"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert done.stdout.startswith("mailsrv, version ")


def test_first_lines_are_read_from_the_source() -> None:
    assert first_line("timers.commands").startswith("What happens by itself")
    assert (
        first_line("timers")
        == "What happens by itself: every job once, run under a lock, remembered, and told when its state changes."
    )
    assert first_line("timers.nowhere") == ""
    assert first_line("nowhere.at.all") == ""


@click.group()
def house() -> None:
    """A root for these tests."""


def ending(name: str, error: BaseException | int | None) -> None:
    @house.command(name)
    @click.option("--json", "as_json", is_flag=True)
    def command(as_json: bool) -> int | None:
        if isinstance(error, BaseException):
            raise error
        return error


ENDINGS = [
    # what the command does, the exit status, what stderr says
    (None, 0, ""),
    (2, 2, ""),
    (ForUser("bad", "here", "mend it"), 1, "mailsrv: here: bad - mend it\n"),
    (Misconfigured("one\ntwo"), 78, "mailsrv: one\nmailsrv: two\n"),
    (Later("busy"), 75, "mailsrv: busy - try again\n"),
    (KeyboardInterrupt(), 130, ""),
    (click.Abort(), 130, ""),
    (click.UsageError("odd"), 64, "mailsrv: e7: odd - see `mailsrv e7 --help`\n"),
    (SystemExit(3), 3, ""),
]
for place, row in enumerate(ENDINGS):
    ending(f"e{place}", row[0])


@pytest.mark.parametrize("number", range(len(ENDINGS)))
def test_every_ending_has_its_status(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    _, status, said = ENDINGS[number]
    try:
        ended: int | str | None = main([f"e{number}"], house)
    except SystemExit as leaving:
        ended = leaving.code
    assert (ended, capsys.readouterr().err) == (status, said)


def test_a_program_gets_the_error_as_json_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["e2", "--json"], house) == 1
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"error": "bad", "where": "here", "advice": "mend it"}, "")
    assert main(["e0", "--json", "--nonsense"], house) == 64
    assert json.loads(capsys.readouterr().out)["error"].startswith("No such option '--nonsense'")
    assert main(["e4", "--", "--json"], house) == 64
    assert capsys.readouterr().out == "", "after -- it is no option"


ending("bug", ValueError("the token is s3cr3t"))


def test_a_bug_asks_for_a_report_and_shows_no_values(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAILSRV_DEBUG", raising=False)
    assert main(["bug"], house) == 70
    said = capsys.readouterr().err
    assert "this is a fault in mailsrv (ValueError at" in said
    assert "please report it" in said
    assert "s3cr3t" not in said
    assert "Traceback" not in said
    monkeypatch.setenv("MAILSRV_DEBUG", "1")
    assert main(["bug"], house) == 70
    assert "Traceback" in capsys.readouterr().err


MISSES = [
    (["tmers"], "no such command: 'tmers' - did you mean 'timers'?"),
    (["zzzz"], "no such command: 'zzzz' - see `mailsrv --help`"),
    (["--hlp"], "No such option '--hlp'"),
    (["timers", "lst"], "No such command 'lst'"),
]


@pytest.mark.parametrize("words, said", MISSES)
def test_wrong_usage_is_64_and_names_the_near_miss(words: list[str], said: str) -> None:
    done = subprocess.run([sys.executable, "-m", "mailsrv", *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 64
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_words_are_wrong_usage_with_the_help() -> None:
    done = subprocess.run([sys.executable, "-m", "mailsrv"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 64
    assert "Commands:" in done.stderr


def test_a_reader_that_leaves_is_no_trouble() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        words = [sys.executable, "-m", "mailsrv", "config", "schema"]
        done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


ending("pipe", BrokenPipeError(errno.EPIPE, "a peer went away"))


def test_a_broken_pipe_elsewhere_is_a_bug() -> None:
    assert main(["pipe"], house) == 70


def test_shells_can_complete() -> None:
    code = "import sys; from mailsrv.command import main; sys.exit(main())"
    done = python(code, _MAILSRV_COMPLETE="bash_complete", COMP_WORDS="mailsrv tim", COMP_CWORD="1")
    assert done.stdout == "plain,timers\n"


def test_an_entry_point_whose_module_is_missing_does_not_spoil_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    group = Wings([Entry("gone", "nowhere.at", "all")])
    assert main(["--help"], group) == 0
    assert "gone" in capsys.readouterr().out
