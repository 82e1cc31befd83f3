"""A state that took long to reach, kept as a copy: each test of a fault begins from it, and not from nothing.

scene = Scene.pruning(shell, cloudflare, dnstree, mail_host)      # both records ripe, the old one is to go
for fault in ...: scene.again(); shell.here(*scene.words)
"""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.journeys.mailhost import MailHost
from tests.journeys.shell import HOST, OWNER, Shell
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.network import PRIMARY, SECONDARY

BOTH = [PRIMARY, SECONDARY]
FOREIGN = "2 1 1 " + "fe" * 32
MARK, THEIRS = "mailsrv tlsa", "by hand"


@dataclass
class Scene:
    """texts: what stands at the name, each with its comment, when the scene begins."""

    shell: Shell
    api: CloudflareApi
    tree: DnsTree
    words: list[str]
    texts: dict[str, str]
    mail_host: MailHost

    @classmethod
    def publishing(cls, api: CloudflareApi, tree: DnsTree, mail_host: MailHost, directory: Path) -> Self:
        """The old key's record and a foreign one are there; the new key is served, and its record is missing."""
        texts = {FOREIGN: THEIRS, mail_host.issue("old").association: MARK}
        words = ["tlsa", "reconcile", "--json", "--host", HOST, "--provider", "cloudflare", "--ttl", "60"]
        shell = Shell(Path(tempfile.mkdtemp(dir=directory)), {"CLOUDFLARE_API_TOKEN": api.token})
        scene = cls(shell, api, tree, words, texts, mail_host)
        mail_host.serve("old")
        scene._stand()
        assert shell.here(*words, "--source", shell.certificate(mail_host.issue("old"))).status == 0
        mail_host.serve("new")
        scene.words += ["--source", shell.certificate(mail_host.issue("new"), "renewed")]
        scene.keep()
        return scene

    @classmethod
    def pruning(cls, api: CloudflareApi, tree: DnsTree, mail_host: MailHost, directory: Path) -> Self:
        """Both keys' records are ripe, and the old one has waited long enough."""
        scene = cls.publishing(api, tree, mail_host, directory)
        shell = scene.shell
        assert shell.here(*scene.words).action == "publish"
        scene.texts[mail_host.issue("new").association] = MARK
        tree.wait_for(OWNER, "TLSA", scene.texts, BOTH)
        end = time.monotonic() + 20
        while shell.here("tlsa", "plan", *scene.words[2:]).action != "prune":
            assert time.monotonic() < end
            assert shell.here(*scene.words).action in ("wait", "prune")
            if scene.held() != scene.texts:  # that run removed it already: put it back
                scene._stand()
            scene.keep()
        return scene

    @property
    def old(self) -> str:
        return self.mail_host.issue("old").association

    @property
    def new(self) -> str:
        return self.mail_host.issue("new").association

    @property
    def copy(self) -> Path:
        return self.shell.home / "rehearsed"

    def keep(self) -> None:
        """From now on the scene begins with the state that is there."""
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.shell.state, self.copy)

    def again(self) -> None:
        """Everything as at the beginning."""
        self.mail_host.serve("new")
        self.api.faults.clear()
        self.api.drop(0)
        self.api.log.clear()
        shutil.rmtree(self.shell.state, ignore_errors=True)
        shutil.copytree(self.copy, self.shell.state)
        self._stand()

    def held(self) -> dict[str, str]:
        """What Cloudflare holds; a duplicate would fail here."""
        entries = self.api.records("example.org", "TLSA", OWNER)
        texts = [entry.rdata.to_text(chunksize=0) for entry in entries]
        assert len(set(texts)) == len(texts), texts
        return {text: entry.comment or "" for text, entry in zip(texts, entries, strict=True)}

    def _stand(self) -> None:
        """The records at the name are these, everywhere."""
        held = self.api.records("example.org", "TLSA", OWNER)
        for entry in held:
            if entry.rdata.to_text(chunksize=0) not in self.texts:
                self.api.erase("example.org", entry.id)
        there = {entry.rdata.to_text(chunksize=0) for entry in held}
        for text in self.texts.keys() - there:
            usage, selector, matching, digits = text.split()
            data = {
                "usage": int(usage),
                "selector": int(selector),
                "matching_type": int(matching),
                "certificate": digits,
            }
            self.api.edit("example.org", "TLSA", OWNER, data=data, ttl=60, comment=self.texts[text])
        self.tree.wait_for(OWNER, "TLSA", self.texts, BOTH)
