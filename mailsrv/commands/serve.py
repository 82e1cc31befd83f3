"""Serve mail: SMTP, submission, IMAP, and the queue; until SIGTERM, which lets everybody finish.

SIGHUP reads the configuration and the certificate again and ends no session. Started by root it opens its ports and becomes the user
`mailsrv` (setting `user`). systemd may hand the sockets over, and is told READY, RELOADING and STOPPING.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnsops.base.errors import ForUser, Misused
from dnsops.base.output import DEFAULT_CONFIG, config_option

if TYPE_CHECKING:
    from pwd import struct_passwd

    from dnsops.base.log import Log
    from dnsops.base.settings import Settings
    from mailsrv.http.measures import Measures
    from mailsrv.serving.certificate import Certificate
    from mailsrv.serving.sockets import Door


@click.command()
@config_option
@click.option("--only", type=click.Choice(["web"]), help="Nothing but the web: policy and set-up of the domains.")
def serve(config_file: str | None, only: str | None) -> int:
    """Serve mail until SIGTERM; SIGHUP reloads.

    \b
    systemctl reload mailsrv        the configuration and the certificate anew, nobody is cut off
    kill -TERM PID                  nobody new; who is here may finish
    mailsrv serve --only web        beside another mail server: MTA-STS policy, autoconfig, autodiscover
    """
    from dnsops.base.log import Log
    from dnsops.base.places import state_directory
    from mailsrv.directory.credentials import credentials
    from mailsrv.serving import privileges, running, sockets
    from mailsrv.serving.house import run
    from mailsrv.serving.leaving import relay_login
    from mailsrv.serving.slate import Slate
    from mailsrv.serving.worker import Work

    if config_file is None:
        raise Misused("no configuration named, and none at the usual place", DEFAULT_CONFIG, "say --config FILE")
    settings = _settings(config_file)
    slate = Slate(sys.stderr.fileno())
    log = Log(slate, json_lines={"json": True, "text": False}.get(settings.log.format))
    user = privileges.whom(settings.user)
    state = state_directory(settings.state.directory)
    load = partial(_settings, config_file)
    doors: list[Door] = []
    try:
        if only:
            return _serve_web(settings, load, state, log, user)
        doors += sockets.open_doors(settings.listeners, settings.workers, without=_without(log))
        certificate = _certificate(settings, state, log)
        certificate.look()
        proofs, login, measures = credentials(settings), relay_login(settings), _measures(doors)
        srs = _before_leaving(settings, state)
        if user is not None:
            privileges.hand_over(state, user)
            privileges.become(user)
            log("serve.user", name=user.pw_name)
        work = Work(
            settings, load, state, log, certificate, tuple(doors), proofs, login, measures, srs, flush=slate.wipe
        )
        with running.alone(state):
            return run(work, settings.workers, _timers(settings, config_file))
    finally:
        sockets.close(doors)
        slate.wipe()


def _serve_web(
    settings: Settings, load: Callable[[], Settings], state: Path, log: Log, user: struct_passwd | None
) -> int:
    """No mail: no store, no accounts, no timers. A port that cannot be had is an error here."""
    from mailsrv.serving import privileges, sockets
    from mailsrv.serving.webonly import WebOnly

    doors = sockets.open_doors(settings.listeners, kinds=sockets.WEB)
    try:
        certificate = _certificate(settings, state, log)
        certificate.look()
        if user is not None:
            privileges.hand_over(state, user)
            privileges.become(user)
            log("serve.user", name=user.pw_name)
        return WebOnly(settings, load, state, log, certificate, tuple(doors)).serve()
    finally:
        sockets.close(doors)


def _settings(config_file: str) -> Settings:
    from dnsops.base.settings import load
    from dnsops.records import names

    return load(Path(config_file), names.host)


def _without(log: Log) -> Callable[[str, ForUser], None]:
    """A port of the web that another program has does not keep mail from being served."""

    def told(kind: str, trouble: ForUser) -> None:
        from mailsrv.serving.showing import not_listening

        not_listening(log, kind, trouble)

    return told


def _measures(doors: list[Door]) -> Measures | None:
    """The rooms of the management listener and of the web, where they are, are read in while root can read them."""
    if any(door.kind in ("https", "web") for door in doors):
        import mailsrv.serving.showing
    if not any(door.kind == "http" for door in doors):
        return None
    import mailsrv.http.management  # noqa: F401 - read in now: the user may not be allowed to read it
    from mailsrv.http.measures import Measures

    return Measures()


def _before_leaving(settings: Settings, state: Path) -> tuple[bytes, ...] | None:
    """What only root may read, perhaps: the secrets of SRS where a file is named, and libraries that are imported late."""
    from mailsrv.auth import spf, suffixes
    from mailsrv.receive import srskeys
    from mailsrv.transport import matching

    spf.prepare()
    matching.prepare()
    if settings.inbound.organizational == "psl":
        suffixes.organizational("example.org")
    return srskeys.secrets(state, settings.srs.secret) if settings.srs.enabled and settings.srs.secret else None


def _certificate(settings: Settings, state: Path, log: Log) -> Certificate:
    from dnsops.base import clock
    from mailsrv.serving.certificate import Certificate, finder

    pair = finder(settings.tls, settings.hostname, state / "certs")
    return Certificate(settings.hostname, pair, log, lambda: clock.now().wall)


def _timers(settings: Settings, config_file: str) -> list[str] | None:
    """The timers are a process of their own: a failing job never takes down SMTP."""
    if not settings.timers.run:
        return None
    return [sys.executable, "-m", "mailsrv", "timers", "serve", "--config", config_file]
