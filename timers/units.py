"""The table as systemd units: a hardened service and a timer per job, as text. Pure.

Standards: systemd.service(5), systemd.timer(5), systemd.exec(5), as of systemd 252 (Debian 12).
Two decisions. `Persistent=` is absent: it is for OnCalendar= only; OnBootSec= makes up for what a stopped machine missed.
Not DynamicUser=: certificates and sockets are granted to a user whose name and number stay.
Fails by: `Misconfigured` when two secrets would be handed over under one name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import Misconfigured
from dnsops.base.settings.section import Section
from dnsops.base.settings.tree import Reference
from mailsrv.serving import unit
from timers.table import Job

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from dnsops.base.settings.model import Dns

USER, SERVER = "mailsrv", "mailsrv.service"
SPARE = timedelta(minutes=1)  # beyond the job's own limit: for telling who is to be told


@dataclass(frozen=True)
class Place:
    """What the units need to know of this machine. credentials: NAME -> PATH, read by systemd as root.

    backups: the directory of backups, "" when they go elsewhere.
    """

    program: str = "/usr/bin/mailsrv"
    config_file: str = ""
    state: str = ""
    credentials: tuple[tuple[str, str], ...] = (("cloudflare-token", "/etc/mailsrv/cloudflare-token"),)
    writable: tuple[str, ...] = ()
    server_credentials: tuple[tuple[str, str], ...] = ()
    backups: str = ""


HARDENING = (
    *unit.HARDENING,  # as the server's, and more: a job needs no port below 1024
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "ProtectKernelLogs=yes",
    "ProtectClock=yes",
    "ProtectHostname=yes",
    "ProtectProc=invisible",
    "RestrictSUIDSGID=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "RemoveIPC=yes",
    "KeyringMode=private",
    "SystemCallFilter=@system-service",
    "SystemCallErrorNumber=EPERM",
)


def units(jobs: Sequence[Job], place: Place) -> dict[str, str]:
    """File name -> text, for every enabled job."""
    texts: dict[str, str] = {}
    for job in jobs:
        if job.enabled:
            texts[f"mailsrv-{job.name}.service"] = service(job, place)
            texts[f"mailsrv-{job.name}.timer"] = timer(job)
    return texts


def server(place: Place) -> dict[str, str]:
    """The server's unit, with every secret that the configuration names."""
    text = unit.service(
        [place.program], place.config_file, place.state, credentials=place.server_credentials, backups=place.backups
    )
    return {SERVER: text}


def every_name(jobs: Sequence[Job]) -> set[str]:
    """All names that `units` could have given to these jobs' files: those that are not wanted now are stale."""
    return {f"mailsrv-{job.name}.{kind}" for job in jobs for kind in ("service", "timer")}


def service(job: Job, place: Place) -> str:
    """One run of the job."""
    lines = [
        "# Written by `mailsrv timers units`; change it with `systemctl edit`, which survives the next writing.",
        f"# It runs as {USER}: let that user read the certificates (setfacl -R -m u:{USER}:rX DIR), and where a target has a",
        "# reload command, allow it (polkit), or set User=root and CapabilityBoundingSet=~ in a drop-in.",
        "[Unit]",
        f"Description=mailsrv {job.name}: {_escaped(job.what)}",
        "Documentation=man:systemd.timer(5)",
        *(f"{key}={' '.join(job.needs)}" for key in ("Wants", "After") if job.needs),
        "",
        "[Service]",
        "Type=oneshot",
        f"ExecStart={_word(place.program)} timers run {job.name}",
        *([f"Environment={_word('MAILSRV_CONFIG=' + place.config_file)}"] if place.config_file else []),
        f"User={USER}",
        f"Group={USER}",
        *_state(place),
        *(_backups(place) if job.keeps else []),
        *(f"LoadCredential={_escaped(name)}:{_escaped(path)}" for name, path in _wanted(job, place)),
        "# 75: not now, the next run tries again",
        "SuccessExitStatus=75",
        f"TimeoutStartSec={int((job.timeout + SPARE).total_seconds())}",
        "",
        *HARDENING,
    ]
    return "\n".join(lines) + "\n"


def timer(job: Job) -> str:
    """When it runs."""
    lines = [
        "[Unit]",
        f"Description=mailsrv {job.name}, every {_span(job.every)}",
        "",
        "[Timer]",
        f"OnBootSec={_span(job.after_boot)}",
        f"OnUnitActiveSec={_span(job.every)}",
        f"RandomizedDelaySec={_span(job.jitter)}",
        "AccuracySec=1s",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "\n".join(lines) + "\n"


def place_of(settings: Settings | None, program: str, config_file: str | None, kept: str = "") -> Place:
    """The place as the configuration describes it; without one what the documentation uses.

    kept: the directory in which each `!credential NAME` is a file; "" leaves it to systemd's own credentials.
    """
    if settings is None:
        return Place(program)
    holders = [settings.dns, *(target.dns for target in settings.tlsa.targets)]
    return Place(
        program=program,
        config_file=config_file or "",
        state=str(settings.state.directory or ""),
        credentials=_credentials(settings, [dns for dns in holders if dns], kept),
        server_credentials=_unique([_named(one, kept) for one in _references(settings)] + _key_files(holders)),
        backups="" if (place := settings.backup.place or "").startswith("s3://") else place,
        writable=tuple(sorted({str(dns.path.parent) for dns in holders if dns and dns.path})),
    )


def _credentials(settings: Settings, holders: Sequence[Dns], kept: str) -> tuple[tuple[str, str], ...]:
    """What a job reads as !file or !credential, each under its file's name (base/places.handed_over)."""
    secrets = [dns.token for dns in holders] + [target.credential for target in settings.tlsa.targets]
    secrets += [settings.acme.eab.hmac_key] if settings.acme.eab else []
    secrets += [settings.backup.access_key, settings.backup.secret_key]
    named = [_named(one, kept) for secret in secrets for one in _references(secret)] + _key_files(holders)
    named += [(identity.name, str(identity))] if (identity := settings.backup.identity) else []
    return _unique(named)


def _key_files(holders: Sequence[Dns | None]) -> list[tuple[str, str]]:
    return [(dns.key_file.name, str(dns.key_file)) for dns in holders if dns and dns.key_file]


def _unique(named: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for name, path in named:
        if found.setdefault(name, path) != path:
            raise Misconfigured(
                f"systemd would hand over {found[name]} and {path} under one name",
                name,
                "give one of them another name",
            )
    return tuple(found.items())


def _references(value: object) -> Iterator[Reference]:
    """Every secret below a part of the settings that lies in a file."""
    match value:
        case Reference(kind="file" | "credential"):
            yield value
        case Section():
            for name in type(value).model_fields:
                yield from _references(getattr(value, name))
        case dict():
            for item in value.values():
                yield from _references(item)
        case list() | tuple():
            for item in value:
                yield from _references(item)


def _named(secret: Reference, kept: str) -> tuple[str, str]:
    # a relative path is a credential that the system's manager was given (systemd.exec(5))
    if secret.kind == "file":
        return Path(secret.name).name, secret.name
    return secret.name, str(Path(kept) / secret.name)


def _wanted(job: Job, place: Place) -> tuple[tuple[str, str], ...]:
    return place.credentials if job.credentials else ()


def _state(place: Place) -> list[str]:
    """systemd's own state directory unless the configuration has one: both must be the one that people look into."""
    if place.state:
        return [f"ReadWritePaths={' '.join(map(_word, (place.state, *place.writable)))}"]
    more = [f"ReadWritePaths={' '.join(map(_word, place.writable))}"] if place.writable else []
    return ["StateDirectory=mailsrv", "StateDirectoryMode=0700", *more]


def _backups(place: Place) -> list[str]:
    """The directory is made when it is not there, and writable; one that is there stays as it is."""
    if not place.backups:
        return []
    made = f"install -d -m 0700 -o {USER} -g {USER}"
    word = _word(place.backups)
    return [
        f"""ExecStartPre=+/bin/sh -c 'test -d "$$0" || {made} "$$0"' {word}""",
        f"ReadWritePaths=-{word}" if not word.startswith('"') else f'ReadWritePaths="-{word[1:]}',
    ]


def _escaped(text: str) -> str:
    """Percent signs are specifiers (systemd.unit(5))."""
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """One word of a line (systemd.syntax(7)); a dollar sign would be a variable."""
    text = _escaped(text).replace("$", "$$")
    plain = not any(sign in text for sign in " \t\"'\\")
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _span(span: timedelta) -> str:
    return f"{int(span.total_seconds())}s"
