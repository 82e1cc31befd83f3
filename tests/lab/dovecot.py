"""Debian's Dovecot as a server of the lab: IMAP on ports of its own, everything in one directory, passwords of a passwd-file.

    with Dovecot(directory, pki, {"carol": "{PLAIN}secret"}) as dovecot: dovecot.client("carol", "secret")

Root runs it as Dovecot wants to be run, mail belonging to the user `mail`; anybody else runs all of it as oneself.
"""

from __future__ import annotations

import imaplib
import os
import pwd
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from tests.lab.mailserver import free_ports
from tests.lab.pki import Pki
from tests.lab.program import Program, listening

CONFIG = """
protocols = imap
base_dir = {base}
state_dir = {base}
log_path = {log}
listen = 127.0.0.1
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
disable_plaintext_auth = no
mail_location = {location}
first_valid_uid = 1
mail_max_userip_connections = 100
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {passwd}
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {passwd}
}}
namespace inbox {{
  inbox = yes
  separator = {separator}
  mailbox Gesendet {{
    special_use = \\Sent
    auto = no
  }}
  mailbox Alles {{
    special_use = \\All
    auto = no
  }}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
{rootless}
"""
ROOTLESS = "default_internal_user = {user}\ndefault_login_user = {user}\ndefault_internal_group = {group}\n"


class Dovecot:
    """users: name and password line."""

    def __init__(
        self,
        directory: Path,
        pki: Pki,
        users: Mapping[str, str],
        separator: str = ".",
        location: str = "maildir:~/Maildir",
    ) -> None:
        self.directory, self.mail = directory, directory / "mail"
        self.imap, self.imaps = free_ports(2)
        root = os.geteuid() == 0
        owner = pwd.getpwnam("mail") if root else pwd.getpwuid(os.geteuid())
        self.mail.mkdir(parents=True)
        self.uid, self.gid = owner.pw_uid, owner.pw_gid
        if root:
            os.chown(self.mail, owner.pw_uid, owner.pw_gid)
        for above in (directory, *directory.parents):
            if root and above.stat().st_mode & 0o011 != 0o011 and above.owner() == "root" and above != Path("/"):
                above.chmod(above.stat().st_mode | 0o011)
        chain, key = pki.issue(["127.0.0.1", "localhost"]).write(directory, "dovecot")
        self.passwd = directory / "passwd"
        self.passwd.write_text(
            "".join(
                f"{name}:{line}:{owner.pw_uid}:{owner.pw_gid}::{self.mail}/{name}::\n" for name, line in users.items()
            )
        )
        self.passwd.chmod(0o644)
        self.config = directory / "dovecot.conf"
        rootless = "" if root else ROOTLESS.format(user=owner.pw_name, group=owner.pw_name)
        self.config.write_text(
            CONFIG.format(
                base=directory / "run",
                log=directory / "log",
                chain=chain,
                key=key,
                passwd=self.passwd,
                imap=self.imap,
                imaps=self.imaps,
                rootless=rootless,
                separator=separator,
                location=location,
            )
        )
        program = shutil.which("dovecot", path="/usr/sbin:/usr/bin") or "dovecot"
        self.program = Program("dovecot", [program, "-F", "-c", str(self.config)], directory / "dovecot.out")

    def __enter__(self) -> Self:
        self.program.start(lambda: listening("127.0.0.1", self.imap) and listening("127.0.0.1", self.imaps))
        return self

    def __exit__(self, *_: object) -> None:
        self.program.stop()

    def client(self, user: str, password: str) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.imap)
        client.login(user, password)
        return client
