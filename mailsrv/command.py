"""The command `mailsrv`: finds its subcommands by entry point, loads the one that is asked for, ends every story.

The help line of a subcommand is the first line of its module's file, read and not imported: `--help` costs no wing.
Fails by exit status (dnsops.base.errors): a deliberate answer is one line on stderr, or one JSON object on stdout when
the subcommand was given `--json`. Anything else that is raised is a bug: 70, and MAILSRV_DEBUG=1 shows the traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from dnsops.base.errors import Deliberate, Exit, ForUser, Misused
from dnsops.base.output import print_json
from mailsrv.installed import Entry, entries

INTERRUPTED = 130  # 128 + SIGINT, as shells say it
COMPLETE = "_MAILSRV_COMPLETE"  # click's name for the variable of a shell that completes words
READER_LEFT = 141  # 128 + SIGPIPE


class Wings(click.Group):
    """The subcommands of all wings; each is imported when it is run, none to list them."""

    def __init__(self, entries: Sequence[Entry], **settings: object) -> None:
        super().__init__(name="mailsrv", **settings)  # type: ignore[arg-type]
        self.entries = {entry.name: entry for entry in entries}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        command = entry.load()
        assert isinstance(command, click.Command)  # noqa: S101 - our own entry points
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in self.entries and not args[0].startswith("-"):
            raise Misused(f"no such command: {args[0]!r}", "", nearest(args[0], sorted(self.entries)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, first_line(self.entries[name].module)) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


def nearest(word: str, known: Sequence[str]) -> str:
    """Advice for a word that nobody knows."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]!r}?" if close else "see `mailsrv --help`"


def first_line(module: str) -> str:
    """The first line of a module's docstring, from its source; empty when there is none to read."""
    file = source(module)
    if file is None:
        return ""
    with file.open(encoding="utf-8") as text:
        return text.readline().strip().removeprefix('"""').removesuffix('"""').strip()


def source(module: str) -> Path | None:
    """The file of a module, found from its top package; `find_spec` imports no top package."""
    top, *rest = module.split(".")
    spec = find_spec(top)
    if spec is None or not spec.origin:
        return None
    place = Path(spec.origin).parent.joinpath(*rest)
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in files if file.is_file()), None)


def root() -> Wings:
    """The root command with whatever is installed."""
    command = Wings(
        entries(),
        help="Mail that the whole Internet trusts, and the DNS automation that keeps it so.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    )
    return click.version_option(package_name="mailsrv", prog_name="mailsrv")(command)


def main(argv: Sequence[str] | None = None, command: click.Command | None = None) -> int:
    """Run one command line; the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        status = run(command or root(), words)
        sys.stdout.flush()
        return status if isinstance(status, int) else Exit.OK
    except Deliberate as answer:
        return tell(answer, for_machine(words))
    except click.exceptions.NoArgsIsHelpError as help_wanted:
        click.echo(help_wanted.format_message(), err=True)
        return Exit.USAGE
    except click.ClickException as error:
        return tell(Misused(error.format_message(), *usage(error)), for_machine(words))
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError as error:
        return reader_left() if stdout_is_broken() else bug(error)
    except Exception as error:  # an edge: nobody above us
        return bug(error)


def run(command: click.Command, words: list[str]) -> object:
    """What click's own `main` does, but for its habit of ending every broken pipe silently, a peer's too."""
    wanted = os.environ.get(COMPLETE)
    if wanted:
        from click.shell_completion import shell_complete

        return shell_complete(command, {}, "mailsrv", COMPLETE, wanted)
    try:
        with command.make_context("mailsrv", words) as context:
            return command.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code


def for_machine(words: Sequence[str]) -> bool:
    """Whether the command line asks for JSON, however wrong it is otherwise."""
    return "--json" in (words[: words.index("--")] if "--" in words else words)


def usage(error: click.ClickException) -> tuple[str, str]:
    """Where on the command line, and what to do about it."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return "", ""
    return context.command_path.removeprefix("mailsrv").strip(), f"see `{context.command_path} --help`"


def tell(answer: Deliberate, as_json: bool) -> int:
    """Print a deliberate answer for a person or a program; its exit status."""
    if as_json:
        parts = (answer.what, answer.where, answer.advice) if isinstance(answer, ForUser) else (str(answer), "", "")
        print_json(dict(zip(("error", "where", "advice"), parts, strict=True)))
    else:
        for line in str(answer).splitlines():
            click.echo(f"mailsrv: {line}", err=True)
    return answer.status


def stdout_is_broken() -> bool:
    """Whether nobody reads our stdout any more; another broken pipe is somebody's bug."""
    import select

    poll = select.poll()
    poll.register(1, 0)
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))


def reader_left() -> int:
    """Let the interpreter's last flush go nowhere: `mailsrv ... | head` needs no traceback."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return READER_LEFT


def bug(error: BaseException) -> int:
    """A fault of ours. Its text may hold what a user must keep secret, so only its kind and place are shown."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f" at {frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else ""
    click.echo(f"mailsrv: this is a fault in mailsrv ({type(error).__name__}{place}) - please report it", err=True)
    if os.environ.get("MAILSRV_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    else:
        click.echo("mailsrv: MAILSRV_DEBUG=1 shows the whole traceback for the report", err=True)
    return Exit.BUG
