"""The rules of the house, kept by a test: imports only to the left, no circles, pure rooms touch nothing, libraries by doors."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WINGS = ("dnsops", "mailsrv", "checks", "timers", "playbooks")  # from left to right
ROOF = {"pyproject.toml", "README.md", "LICENSE", "Makefile", *WINGS, "tests"}

# Rooms that decide: no socket, file, clock or thread, and no import of a room that has them.
PURE = (
    "checks.catalogue",
    *(
        f"checks.deliverability.{room}"
        for room in (
            "content",
            "generating",
            "heading",
            "html",
            "judging",
            "known",
            "letter",
            "loss",
            "origin",
            "target",
        )
    ),
    "checks.echo.judging",
    "checks.echo.marked",
    "checks.facts",
    "checks.finding",
    "checks.health.facts",
    "checks.health.judging",
    "checks.judge",
    "checks.mailbox.judging",
    "checks.relay.facts",
    "checks.relay.judging",
    "checks.relay.tricks",
    "checks.report",
    "checks.probe.announced",
    "checks.probe.showing",
    *(
        f"checks.probe.tls.{room}"
        for room in (
            "exchange",
            "flight",
            "gathered",
            "groups",
            "hello",
            "octets",
            "offers",
            "suites",
            "thirteen",
        )
    ),
    "checks.score",
    "dnsops.acme.ari",
    "dnsops.acme.lasting",
    "dnsops.acme.door",
    "dnsops.acme.refusals",
    "dnsops.acme.verified",
    "dnsops.acme.words",
    "dnsops.base.errors",
    "dnsops.base.flow",
    "dnsops.base.settings.versions",
    "dnsops.base.moment",
    "dnsops.base.printable",
    "dnsops.base.versioned",
    "dnsops.certs.chain",
    "dnsops.certs.dialogue",
    "dnsops.commands.dkim_show",
    "dnsops.commands.tlsa_show",
    "dnsops.dkim.public",
    "dnsops.dkim.ring",
    "dnsops.dnssec",
    "dnsops.plan",
    "dnsops.providers.cloudflare_errors",
    "dnsops.providers.cloudflare_form",
    "dnsops.providers.door",
    "dnsops.providers.identity",
    "dnsops.reconcile.certificate_names",
    "dnsops.reconcile.certificate_report",
    "dnsops.reconcile.certificate_target",
    "dnsops.reconcile.dkim_report",
    "dnsops.reconcile.dkim_target",
    "dnsops.reconcile.report",
    "dnsops.reconcile.target",
    "dnsops.reconcile.telling",
    "dnsops.reconcile.zone_checks",
    "dnsops.reconcile.zone_report",
    "dnsops.reconcile.zone_target",
    "dnsops.records",
    "dnsops.resolve.answer",
    "dnsops.resolve.extended",
    "dnsops.resolve.packet",
    "dnsops.rollover",
    "dnsops.wanted",
    *(
        f"mailsrv.directory.{room}"
        for room in (
            "accounts",
            "address",
            "book",
            "keys",
            "prep",
            "rights",
            "routing",
            "throttle",
            "verified",
        )
    ),
    *(
        f"mailsrv.directory.sasl.{room}"
        for room in ("binding", "door", "gs2", "login", "oauthbearer", "plain", "scram")
    ),
    *(
        f"mailsrv.auth.{room}"
        for room in ("again", "arc", "asked", "author", "canonical", "decide", "dkim", "dmarc", "iprev", "keys")
    ),
    *(
        f"mailsrv.auth.{room}"
        for room in ("results", "sealers", "signature", "signatures", "signing", "treewalk", "verdicts")
    ),
    "mailsrv.backup.needs",
    "mailsrv.backup.place",
    "mailsrv.backup.snapshot",
    "mailsrv.echo",
    *(
        f"mailsrv.http.{room}"
        for room in ("autoconfig", "autodiscover", "behind", "health", "mobileconfig", "offer", "site", "welcome")
    ),
    "mailsrv.archive.kept",
    "mailsrv.imap.grammar",
    "mailsrv.imap.limits",
    "mailsrv.message",
    *(f"mailsrv.moving.{room}" for room in ("answers", "listed")),
    *(
        f"mailsrv.spam.{room}"
        for room in ("clamd", "dnsbl", "greylist", "hints", "lately", "mail", "place", "reputation", "rspamd", "spamd")
    ),
    *(
        f"mailsrv.reports.{room}"
        for room in (
            "aggregate",
            "configured",
            "dmarc_out",
            "dmarc_xml",
            "letters",
            "limits",
            "received",
            "seen",
            "summary",
            "tags",
            "tls_json",
            "tls_out",
            "unpack",
            "wanted",
        )
    ),
    *(f"mailsrv.receive.{room}" for room in ("heading", "letters", "needs", "notice", "outgoing", "srs", "told")),
    *(
        f"mailsrv.smtp.{room}"
        for room in ("door", "extensions", "grammar", "limits", "octets", "parameters", "proxy", "replies")
    ),
    *(f"mailsrv.send.{room}" for room in ("letter", "offers", "reply", "schedule", "settlement", "verdict")),
    *(
        f"mailsrv.transport.{room}"
        for room in ("dane", "deciding", "found", "host", "matching", "noting", "outcome", "policy")
    ),
    *(
        f"mailsrv.quickstart.{room}"
        for room in (
            "answers",
            "checks",
            "checks_names",
            "document",
            "facts",
            "finding",
            "questions",
            "steps",
            "telling",
        )
    ),
    "mailsrv.serving.unit",
    "mailsrv.store.door",
    "mailsrv.store.flags",
    "mailsrv.store.names",
    "mailsrv.store.words",
    "playbooks.events",
    "playbooks.telling",
    "timers.changes",
    "timers.nixos",
    "timers.outcome",
    "timers.table",
    "timers.units",
)
TOUCHING = {
    "asyncio",
    "ctypes",
    "fcntl",
    "http",
    "os",
    "select",
    "selectors",
    "shutil",
    "signal",
    "smtplib",
    "socket",
    "ssl",
}
TOUCHING |= {"subprocess", "tempfile", "threading", "time", "urllib"}
VALUES = ("dnsops.base.settings",)  # the configuration's types are values; its files are read at the edges
CLOCKS = ("now", "today", "utcnow", "time", "monotonic")

# Each outside library, and the rooms through whose doors it comes.
DOORS = {
    "acme": ("dnsops.acme",),
    "OpenSSL": ("mailsrv.transport.matching", "checks.probe.tls.again"),
    "aiosmtpd": ("mailsrv.smtp.connection",),
    "apsw": (
        "checks.history",
        "mailsrv.store.sqlite",
        "mailsrv.directory.register",
        "mailsrv.spam.ledger",
        "mailsrv.reports.ledger",
    ),
    "ansible": ("playbooks.library",),
    "ansible_runner": ("playbooks.running",),
    "argon2": ("mailsrv.directory.slow",),
    "passlib": ("mailsrv.directory.slow",),
    "apscheduler": ("timers.scheduler",),
    "click": (
        "checks.commands",
        "dnsops.base.output",
        "dnsops.commands",
        "mailsrv.command",
        "mailsrv.commands",
        "playbooks.commands",
        "timers.commands",
    ),
    "cloudflare": ("dnsops.providers",),
    "cryptography": (
        "checks.judge.certificates",
        "checks.probe.tls",
        "dnsops.acme",
        "dnsops.certs",
        "dnsops.dkim",
        "mailsrv.auth.keys",
        "mailsrv.directory.sasl.binding",
        "mailsrv.http.sealing",
        "mailsrv.transport.matching",
    ),
    "dkim": ("mailsrv.commands.explaining",),
    "dns": ("dnsops.records", "dnsops.resolve", "dnsops.providers"),
    "h11": (
        "checks.probe.fetching",
        "checks.probe.browsing",
        "mailsrv.http.told",
        "mailsrv.spam.rspamd",
        "mailsrv.transport.fetching",
    ),
    "httpx": ("dnsops.providers",),
    "idna": ("dnsops.records.names",),
    "josepy": ("dnsops.acme",),
    "obstore": ("mailsrv.backup.bucket",),
    "octodns": ("dnsops.providers",),
    "prometheus_client": ("mailsrv.http.measures",),
    "publicsuffixlist": ("mailsrv.auth.suffixes",),
    "pydantic": (
        "dnsops.base.settings",
        "mailsrv.backup.configured",
        "mailsrv.directory.register",
        "mailsrv.commands.registering",
    ),
    "pydantic_core": ("dnsops.base.settings",),
    "pyrage": ("mailsrv.backup.sealing",),
    "requests": ("dnsops.acme.exchange", "dnsops.certs.sources", "timers.notify", "timers.alert"),
    "rich": ("dnsops.base.output", "dnsops.commands", "timers.commands"),
    "rocksdict": ("dnsops.certs.sources.stalwart_rocksdb",),
    "spftrace": ("mailsrv.auth.spf",),
    "starlette": ("mailsrv.http.management", "mailsrv.http.web"),
    "uvicorn": ("mailsrv.http.management", "mailsrv.http.doorstep", "mailsrv.http.speaking"),
    "uvloop": ("mailsrv.serving.worker", "mailsrv.serving.signals"),
    "yaml": ("dnsops.base.settings", "dnsops.providers.octodns_plugin"),
}
HEAVY = (
    "OpenSSL",
    "acme",
    "ansible_runner",
    "apscheduler",
    "cloudflare",
    "httpx",
    "idna",
    "josepy",
    "obstore",
    "octodns",
    "publicsuffixlist",
    "pydantic",
    "pyrage",
    "requests",
    "rich",
    "rocksdict",
    "spftrace",
    "uvloop",
)  # inside functions only
# the edge where a bug becomes exit 70; the edge to octoDNS's plugins, which raise what they like
WIDE_EXCEPT = ("mailsrv.command", "dnsops.providers.octodns_plugin")
LONGEST_FILE = 400
SHAPELESS = {"utils", "util", "common", "helpers", "helper", "manager", "core", "misc"}


@cache
def modules() -> dict[str, Path]:
    """Every module of the wings."""
    found = {}
    for wing in WINGS:
        for path in (ROOT / wing).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text())


def statements(node: ast.AST, lazy: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements; with `lazy` also those inside functions, and never those for the type checker alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        elif lazy or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from statements(child, lazy)


def imported(name: str, lazy: bool = True) -> set[str]:
    """What a module imports: full names, our own modules as precisely as they can be told."""
    found = set()
    for statement in statements(tree(name), lazy):
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        elif statement.module:
            deeper = {f"{statement.module}.{alias.name}" for alias in statement.names}
            ours = deeper & modules().keys()
            found |= ours or {statement.module}
    return found


def inside(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(room + ".") for room in rooms)


def test_nothing_else_stands_at_the_top() -> None:
    tracked = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert tracked <= ROOF | {"dist"}, "DESIGN 4: the roof is fixed"


def test_wings_import_only_to_the_left() -> None:
    wrong = [
        (name, other)
        for name in modules()
        for other in imported(name)
        if other.partition(".")[0] in WINGS
        and WINGS.index(other.partition(".")[0]) > WINGS.index(name.partition(".")[0])
    ]
    assert wrong == []


def test_the_ground_floor_stands_on_nothing_of_ours() -> None:
    base = [name for name in modules() if inside(name, ("dnsops.base",))]
    assert [(n, o) for n in base for o in imported(n) if o.startswith(WINGS) and not inside(o, ("dnsops.base",))] == []


def test_there_is_no_circle() -> None:
    edges = {name: imported(name, lazy=False) & modules().keys() - {name} for name in modules()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, "a circle: " + " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for other in sorted(edges[name]):
                visit(other, (*path, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_every_pure_room_is_there() -> None:
    assert [room for room in PURE if room not in modules()] == []


@pytest.mark.parametrize("name", sorted(name for name in modules() if inside(name, PURE)))
def test_a_pure_room_touches_nothing(name: str) -> None:
    used = imported(name)
    assert not {other for other in used if other.partition(".")[0] in TOUCHING}
    ours = {other for other in used if other.partition(".")[0] in WINGS}
    assert not {other for other in ours if not inside(other, PURE + VALUES)}
    calls = [ast.unparse(node.func) for node in ast.walk(tree(name)) if isinstance(node, ast.Call)]
    assert not [
        call for call in calls if call == "open" or (call.rpartition(".")[2] in CLOCKS and "time" in call.lower())
    ]


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_comes_through_its_doors_only(library: str) -> None:
    wrong = [
        name
        for name in modules()
        if any(other.partition(".")[0] == library for other in imported(name)) and not inside(name, DOORS[library])
    ]
    assert wrong == []


def test_no_library_comes_in_without_a_door() -> None:
    import sys

    known = {*DOORS, *WINGS, *sys.stdlib_module_names}
    strangers = {
        (name, other) for name in modules() for other in imported(name) if other.partition(".")[0] not in known
    }
    assert strangers == set()


def test_heavy_libraries_are_imported_by_who_uses_them_only_when_used() -> None:
    eager = [
        (name, other)
        for name in modules()
        for other in imported(name, lazy=False)
        if other.partition(".")[0] in HEAVY and not inside(name, ("dnsops.base.settings", "timers.scheduler"))
    ]
    assert eager == []


def test_wide_excepts_stand_at_the_edges_only() -> None:
    wide = {
        name
        for name in modules()
        for node in ast.walk(tree(name))
        if isinstance(node, ast.ExceptHandler) and (node.type is None or ast.unparse(node.type) == "Exception")
    }
    assert wide <= set(WIDE_EXCEPT)


def test_files_are_short_and_say_what_they_are() -> None:
    assert [name for name in modules() if len(modules()[name].read_text().splitlines()) > LONGEST_FILE] == []
    assert [name for name in modules() if not ast.get_docstring(tree(name))] == []
    assert [name for name in modules() if SHAPELESS & set(name.split("."))] == []


def test_nothing_unfinished_and_no_machine_in_the_text() -> None:
    words = [
        "TO" + "DO",
        "FIX" + "ME",
        "X" * 3 + " ",
        "NotImplemented" + "Error",
        "/work" + "/",
        "pypi" + ".org",
        "sha" + "red/",
    ]
    found = [
        (path.relative_to(ROOT).as_posix(), word)
        for folder in (*WINGS, "tests", ".ci")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix in (".py", ".md", ".sh", ".yml", "") and "__pycache__" not in path.parts
        for word in words
        if word in path.read_text(errors="replace")
    ]
    assert found == []
