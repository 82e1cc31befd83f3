"""Debian's rspamd, SpamAssassin and ClamAV on the lab's loopback, each with as little as makes it itself.

    rspamd          no modules, a list of four top-level domains (compiling the whole one takes 26 s): GTUBE in its three forms
    opinion         rspamd once more, with SPF, DKIM, DMARC and ARC, asking the lab's resolver
    spamassassin    local rules only, one child
    clamd           one signature of our own, StreamMaxLength 1 MiB; a socket and a port

Fails by: `Unavailable` with the reason.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Self

from tests.lab.network import RESOLVER, Unavailable, needs
from tests.lab.program import Program, listening

RSPAMD, OPINION, SPAMD, CLAMD = 11333, 11343, 10783, 13310
WORM = b"lab-worm-0f3a9c7d"  # what the one signature is of
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"  # rspamd: Y... junk, Z... subject
UNTRUSTED = "nobody"


class Scanner:
    """A program with a directory of its own."""

    name = ""
    programs: tuple[str, ...] = ()

    def __init__(self, directory: Path) -> None:
        self.home = directory / self.name
        self.program: Program | None = None

    def __enter__(self) -> Self:
        if missing := needs(*self.programs):
            raise Unavailable(missing)
        self.home.mkdir(mode=0o755, exist_ok=True)
        self.program = Program(self.name, self.command(), self.home / "log")
        self.program.start(self.ready)
        return self

    def __exit__(self, *_: object) -> None:
        if self.program is not None:
            self.program.stop()

    def command(self) -> list[str]:
        raise Unavailable("no program")

    def ready(self) -> bool:
        raise Unavailable("no program")


class Rspamd(Scanner):
    name, programs, port = "rspamd", ("rspamd",), RSPAMD
    filters, nameserver, patience, modules = "", "127.0.0.1:5399", "0.1s", ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        (self.home / "tld.dat").write_text("com\norg\nnet\nexample\n")
        (self.home / "rspamd.conf").write_text(
            f"""
            options {{
              tempdir = "{self.home}"; hs_cache_dir = "{self.home}/"; url_tld = "{self.home}/tld.dat";
              pidfile = "{self.home}/pid"; control_socket = "{self.home}/control mode=0600";
              filters = "{self.filters}"; disable_hyperscan = true; enable_test_patterns = true; gtube_patterns = "all";
              dns {{ nameserver = ["{self.nameserver}"]; timeout = {self.patience}; retransmits = 1; }}
            }}
            logging {{ type = "console"; level = "notice"; }}
            metric {{ name = default; actions {{ reject = 15; "add header" = 6; greylist = 4; }} }}
            worker "normal" {{ bind_socket = "127.0.0.1:{self.port}"; count = 1; }}
            {self.modules}
            """
        )
        return ["rspamd", "-f", "-i", "-c", str(self.home / "rspamd.conf")]  # -i: as root, it is a lab

    def ready(self) -> bool:
        return listening("127.0.0.1", self.port)


class Opinion(Rspamd):
    name, port = "opinion", OPINION
    filters, nameserver, patience = "dkim", f"{RESOLVER}:53", "5s"
    modules = """
            modules { path = "/usr/share/rspamd/plugins/spf.lua"; path = "/usr/share/rspamd/plugins/dmarc.lua";
              path = "/usr/share/rspamd/plugins/arc.lua"; }
            spf {} dkim {} dmarc {} arc {}
    """


class SpamAssassin(Scanner):
    name, programs = "spamassassin", ("spamd",)
    place = f"127.0.0.1:{SPAMD}"

    def command(self) -> list[str]:
        as_user = ["-u", UNTRUSTED] if os.geteuid() == 0 else []
        local = ["--local", "--nouser-config", "--allowed-ips=127.0.0.1", f"--helper-home-dir={self.home}"]
        where = ["--listen=127.0.0.1", f"--port={SPAMD}", f"--pidfile={self.home}/pid", "--syslog=stderr"]
        return ["spamd", *local, *where, *as_user, "--max-children=2", "--min-children=2", "--max-spare=2"]

    def ready(self) -> bool:
        return "server started" in (self.home / "log").read_text(errors="replace")


class ClamAv(Scanner):
    name, programs = "clamav", ("clamd",)
    port = f"127.0.0.1:{CLAMD}"

    @property
    def socket(self) -> str:
        return str(self.home / "clamd.ctl")

    def command(self) -> list[str]:
        (self.home / "signatures").mkdir(exist_ok=True)
        signature = f"Lab.Worm:0:*:{WORM.hex()}\nHeuristics.Lab.Guess:0:*:{WORM[::-1].hex()}\n"
        (self.home / "signatures" / "lab.ndb").write_text(signature)
        settings = {
            "Foreground": "yes",
            "LocalSocket": self.socket,
            "TCPAddr": "127.0.0.1",
            "TCPSocket": str(CLAMD),
            "DatabaseDirectory": str(self.home / "signatures"),
            "StreamMaxLength": "1M",
            "MaxThreads": "2",
        }
        (self.home / "clamd.conf").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        return ["clamd", "-c", str(self.home / "clamd.conf")]

    def ready(self) -> bool:
        return listening("127.0.0.1", CLAMD) and Path(self.socket).is_socket()


def silent_port(address: str = "127.0.0.1") -> tuple[socket.socket, int]:
    """A port that takes connections and never says a word."""
    listener = socket.create_server((address, 0))
    return listener, listener.getsockname()[1]
