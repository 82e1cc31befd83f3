"""A power cut: ext4 on a loop device, shut down without its journal being flushed, and mounted again.

What was not synced is gone. Fails by: `NoLoop` where that cannot be had (no root, no loop device, another kernel).
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
SIZE = 64 << 20


class NoLoop(Exception):
    """Why there can be no power cut here."""


class Disk:
    """`directory` lies on a disk that `cut` takes the power from."""

    def __init__(self, base: Path) -> None:
        self._image, self.directory = base / "image", base / "mount"

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise NoLoop("only root mounts")
        self.directory.mkdir()
        with self._image.open("wb") as file:
            file.truncate(SIZE)
        run("mkfs.ext4", "-q", "-F", str(self._image))
        self._mount()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["umount", "-l", str(self.directory)], check=False)

    def cut(self) -> None:
        """Now. Whoever writes there gets errors until `restore`."""
        handle = os.open(self.directory, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        except OSError as error:
            raise NoLoop(f"this kernel cuts no power: {error.strerror}") from None
        finally:
            os.close(handle)

    def restore(self) -> None:
        run("umount", str(self.directory))
        self._mount()

    def _mount(self) -> None:
        run("mount", "-o", "loop,data=ordered", str(self._image), str(self.directory))


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoLoop(f"{command[0]}: {done.stderr.strip()}")
