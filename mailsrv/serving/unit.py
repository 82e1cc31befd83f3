"""The server as a systemd unit: hardened, with the mail ports and nothing else. Pure text.

Standards: systemd.service(5), systemd.exec(5), as of systemd 252 (Debian 12).
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

USER = "mailsrv"
HARDENING = (
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateDevices=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectControlGroups=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "SystemCallArchitectures=native",
    "UMask=0077",
)


def service(
    program: Sequence[str],
    config_file: str,
    state: str = "",
    user: str = USER,
    credentials: Sequence[tuple[str, str]] = (),
    backups: str = "",
) -> str:
    """The unit. program: the command's words before `serve`.  state: a directory of one's own, "" for systemd's.

    credentials: NAME, PATH of secrets that systemd reads as root and hands over.  backups: a directory, for the timers that `serve` starts.
    """
    place = [f"ReadWritePaths={_word(state)}"] if state else ["StateDirectory=mailsrv", "StateDirectoryMode=0700"]
    lines = [
        "[Unit]",
        "Description=Mail server",
        "After=network-online.target",
        "Wants=network-online.target",
        "",
        "[Service]",
        "Type=notify",
        f"ExecStart={' '.join(map(_word, (*program, 'serve', '--config', config_file)))}",
        "ExecReload=/bin/kill -HUP $MAINPID",
        f"User={user}",
        *place,
        *(f"LoadCredential={_escaped(name)}:{_escaped(path)}" for name, path in credentials),
        *([f"ReadWritePaths={_word('-' + backups)}"] if backups else []),
        "AmbientCapabilities=CAP_NET_BIND_SERVICE",
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
        "NotifyAccess=main",
        "WatchdogSec=60",
        "Restart=on-failure",
        "TimeoutStopSec=60",
        "LimitNOFILE=65536",
        *HARDENING,
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    """Percent signs are specifiers (systemd.unit(5))."""
    return text.replace("%", "%%")


def _word(text: str) -> str:
    """One word of a line (systemd.syntax(7)): percent signs and dollars doubled, quoted where it must be."""
    text = _escaped(text).replace("$", "$$")
    if not any(sign in text for sign in " \t\"'\\"):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
