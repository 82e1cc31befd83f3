"""The deployment, shown on whole machines: two bare hosts and an API token become mail servers that a stranger calls Verified.

    make demo-deploy          (= tests/lab/enter.sh .venv/bin/python -m tests.lab.demo_deploy)

The hosts have a systemd of their own (systemd-nspawn) and are reached by ssh; around them are the signed tree, pebble, Cloudflare's API
and a stranger's Postfix. Everything runs in namespaces and ends with them. Fails by: exit 1 and what went wrong.
"""

from __future__ import annotations

import imaplib
import json
import smtplib
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tests.lab import demo_check
from tests.lab.acme import Pebble
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.demo import SCALE, Broken, Teller
from tests.lab.dnstree import DnsTree
from tests.lab.hosts import Host, addresses
from tests.lab.hosts_site import DOMAINS, PASSWORD, Site
from tests.lab.network import CLOUDFLARE, Unavailable, private_network
from tests.lab.pki import Pki
from tests.lab.postfix import Sender, Verdict, finger
from tests.lab.program import wait_until

SUBJECT = "from one of our hosts to the other"


def main() -> int:
    tell = Teller()
    try:
        with ExitStack() as stack:
            show(tell, stack)
    except Unavailable as reason:
        print(f"demo-deploy: the lab cannot be had here: {reason}", file=sys.stderr)
        return 1
    except (Broken, TimeoutError) as reason:
        print(f"demo-deploy: {reason}", file=sys.stderr)
        return 1
    return 0


def show(tell: Teller, stack: ExitStack) -> None:
    """From bare hosts to mail, told line by line."""
    tell.chapter("Two bare hosts, and what surrounds them")
    directory = stack.enter_context(private_network())
    tree = DnsTree(directory)
    tree.reverse = {address: f"mx1.{domain}" for n, domain in enumerate(DOMAINS, 1) for address in addresses(n)}
    stack.enter_context(tree)
    demo_check.completed(tree, DOMAINS[0])
    pki = stack.enter_context(Pki(directory))
    pebble = stack.enter_context(Pebble(directory, pki))
    api = stack.enter_context(CloudflareApi(list(DOMAINS), tree, CLOUDFLARE, 443, pki.api))
    api.ttl(SCALE)
    site = stack.enter_context(Site(directory, tree, pki, api, pebble.url))
    for host in site.hosts:
        tell(f"{host.name}: {host.address}, {host.address6}; systemd, sshd, nothing else")

    tell.chapter("$ mailsrv deploy -i hosts.yml")
    begin = time.monotonic()
    for host, counts in deployed(site).items():
        tell(f"{host}: {counts['changed']} of {counts['ok'] + counts['changed']} tasks changed something")
    tell(f"{time.monotonic() - begin:.0f} s")

    tell.chapter("A stranger's Postfix, which verifies DANE")
    sender = stack.enter_context(Sender(directory))
    for domain in DOMAINS:
        if (verdict := finger(domain)) is not Verdict.VERIFIED:
            raise Broken(f"posttls-finger {domain}: {verdict}")
        delivery = sender.send(f"user1@{domain}")
        if (delivery.status, delivery.tls) != ("sent", "Verified"):
            raise Broken(delivery.line)
        tell(f"{domain}: {delivery.status}, TLS {delivery.tls}")

    tell.chapter("From one host to the other")
    roots = directory / "roots.pem"
    roots.write_bytes(pebble.root())
    tell(exchanged(*site.hosts, roots))

    tell.chapter(f"$ mailsrv check mail {DOMAINS[0]}")
    print("\n".join(demo_check.hundred(lambda *words: command(site, *words), DOMAINS[0], roots)))

    tell.chapter("$ mailsrv deploy -i hosts.yml, once more")
    begin = time.monotonic()
    counts = deployed(site)
    if any(count["changed"] for count in counts.values()):
        raise Broken(f"the second run changed something: {counts}")
    tell(f"{', '.join(f'{host}: changed=0' for host in counts)}; {time.monotonic() - begin:.0f} s")


def deployed(site: Site) -> dict[str, dict[str, int]]:
    """Each host's counts of tasks."""
    told = command(site, "deploy", "-i", str(site.inventory()), "--json")
    hosts: dict[str, dict[str, int]] = json.loads(told)["hosts"]
    return hosts


def command(site: Site, *words: str) -> str:
    state = site.directory / "deployer"
    done = subprocess.run(
        [sys.executable, "-m", "mailsrv", *words],
        env={**site.environ, "XDG_STATE_HOME": str(state), "STATE_DIRECTORY": str(state)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Broken(f"mailsrv {words[0]}: exit {done.returncode}\n{done.stdout[-6000:]}{done.stderr[-3000:]}")
    return done.stdout


def exchanged(ours: Host, other: Host, ca: Path) -> str:
    """user1 writes by submission on one host, and the mail is read by IMAP on the other; how it went between them."""
    trusting = ssl.create_default_context(cafile=str(ca))
    trusting.check_hostname = False  # the hosts are named by their addresses here
    sender, recipient = (f"user1@{domain}" for domain in DOMAINS)
    with smtplib.SMTP_SSL(ours.address, 465, context=trusting, timeout=20) as line:
        line.login("user1", PASSWORD)
        text = f"From: {sender}\r\nTo: {recipient}\r\nSubject: {SUBJECT}\r\nDate: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())}\r\n\r\nhello\r\n"
        line.sendmail(sender, [recipient], text)
    wait_until(lambda: arrived(other, trusting) > 0, "the mail at the other host", 60)
    journal = ours.ssh("journalctl", "--no-pager", "-u", "mailsrv.service", "-o", "cat")
    [line_, *_] = [line for line in journal.splitlines() if "verified" in line and DOMAINS[1] in line] or [""]
    if not line_:
        raise Broken(f"it went out unverified:\n{journal[-3000:]}")
    return f"{sender} to {recipient}: policy dane, verified; read there by IMAP"


def arrived(host: Host, trusting: ssl.SSLContext) -> int:
    with imaplib.IMAP4_SSL(host.address, 993, ssl_context=trusting, timeout=20) as line:
        line.login("user1", PASSWORD)
        line.select("INBOX", readonly=True)
        _, (found, *_) = line.search(None, "SUBJECT", f'"{SUBJECT}"')
        return len((found or b"").split())


if __name__ == "__main__":
    sys.exit(main())
