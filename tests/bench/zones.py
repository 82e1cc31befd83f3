"""What a plan of fifty domains costs, against the emulator of Cloudflare's API on loopback: nothing there, and all in place.

PYTHONPATH=. .venv/bin/python -m tests.bench.zones
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.__main__ import measure, row
from tests.lab.cloudflare_api import CloudflareApi

COUNT = 50
TARGET = "<= 5 s, <= 120 MB"
CONFIG = """hostname: mx1.d00.example.net
domains: [{domains}]
dns: {{provider: cloudflare}}
dkim: {{sign: false}}
records: {{addresses: [192.0.2.25, "2001:db8::25"]}}
state: {{directory: {state}}}
"""


def main() -> int:
    domains = [f"d{number:02d}.example.net" for number in range(COUNT)]
    with tempfile.TemporaryDirectory() as folder, CloudflareApi(domains) as api, _environment(api, Path(folder)):
        report_on(api, Path(folder), domains)
    return 0


def report_on(api: CloudflareApi, folder: Path, domains: Sequence[str]) -> None:
    """Two rows, and how many calls a plan takes."""
    file = folder / "mailsrv.yml"
    file.write_text(CONFIG.format(domains=", ".join(domains), state=folder / "state"))
    api.rate(100_000)
    plan = ["dns", "plan", "--json", "--config", str(file)]
    row(f"dns plan, {len(domains)} domains, nothing there yet", measure(plan, 2), TARGET)
    # nobody serves these zones, so that nothing is looked for afterwards
    row(
        "dns apply of all that, unseen",
        measure(["dns", "apply", "--yes", "--wait", "0", "--config", str(file)], 75),
        "",
    )
    api.log.clear()
    row(f"dns plan, {len(domains)} domains, all in place", measure(plan), TARGET)
    records = sum(len(api.records(domain)) for domain in domains)
    print(f"(the last of them took {len(api.log)} calls for {records} records)")


@contextmanager
def _environment(api: CloudflareApi, folder: Path) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(CLOUDFLARE_API_TOKEN=api.token, CLOUDFLARE_BASE_URL=api.url)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    raise SystemExit(main())
