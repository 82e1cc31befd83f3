"""The project with all that it needs as one archive of wheels, for hosts without a way out.

The needed wheels are fetched once by `.ci/setup` (`python -m tests.lab.bundle`) into the virtual environment; our own is built
anew each time, without the network. Fails by: `Unavailable` when the needed wheels were never fetched.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.lab.network import Unavailable

ROOT = Path(__file__).parents[2]


def wheels() -> Path:
    """Where the needed wheels are; another place when the project's needs change."""
    digest = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()[:16]
    return Path(sys.prefix) / "wheels" / digest


def fetch() -> None:
    """All wheels but ours."""
    if wheels().exists():
        return
    with tempfile.TemporaryDirectory(dir=sys.prefix) as scratch:
        made = Path(scratch) / "wheels"
        _pip("wheel", "-w", str(made), str(ROOT))
        for own in made.glob("mailsrv-*.whl"):
            own.unlink()
        shutil.rmtree(wheels().parent, ignore_errors=True)
        wheels().parent.mkdir()
        made.rename(wheels())


def bundle(directory: Path, name: str = "mailsrv-1", source: Path = ROOT) -> Path:
    """NAME.tar there, of the sources as they are now."""
    if not wheels().exists():
        raise Unavailable("no wheels for the hosts: .ci/setup fetches them")
    built = directory / name
    _pip("wheel", "--no-deps", "--no-build-isolation", "-w", str(built), str(source))
    archive = directory / f"{name}.tar"
    with tarfile.open(archive, "w") as file:
        for wheel in (*wheels().glob("*.whl"), *built.glob("*.whl")):
            file.add(wheel, f"wheels/{wheel.name}")
    return archive


def _pip(*words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Unavailable(f"pip {words[0]}: {done.stderr[-2000:]}")


if __name__ == "__main__":
    fetch()
