"""Messages per second of the server's CPU, with nobody behind it. Run: python -m tests.mailsrv.smtp.rate [SIZE [uvloop]]"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

from mailsrv.smtp.house import House
from tests.mailsrv.smtp.null import Lines, Null, serving

SECONDS = 3.0


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 4096
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        if "uvloop" in sys.argv:
            import uvloop

            uvloop.install()
        asyncio.run(serve(writing))
        os._exit(0)
    port = int(os.read(reading, 10))
    for name, way in (("one at a time", step), ("pipelined", flood)):
        before, count = cpu(child), way(port, size)
        spent = cpu(child) - before
        print(
            f"{name:14} {size:8} octets  {count / spent:8.0f} messages/CPU-s  {count * size / spent / 1e6:6.0f} MB/CPU-s"
        )
    os.kill(child, 15)
    os.waitpid(child, 0)


async def serve(writing: int) -> None:
    async with serving(House("here.test", Null(), Lines())) as port:
        os.write(writing, str(port).encode())
        await asyncio.sleep(60)


def cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def greeted(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.recv(1000)
    sock.sendall(b"EHLO bench.test\r\n")
    sock.recv(4000)
    return sock


HEAD = b"MAIL FROM:<a@bench.test> SIZE=5000 BODY=8BITMIME\r\nRCPT TO:<alice@here.test>\r\nDATA\r\n"


def body(size: int) -> bytes:
    return b"Subject: bench\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * (size // 72) + b".\r\n"


def step(port: int, size: int) -> int:
    """MAIL, RCPT and DATA in one packet, the message after 354, the next after its reply."""
    sock, message, count = greeted(port), body(size), 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        sock.sendall(HEAD)
        wait(sock, b"354")
        sock.sendall(message)
        wait(sock, b"2.6.0")
        count += 1
    return count


def wait(sock: socket.socket, word: bytes) -> None:
    got = b""
    while word not in got or not got.endswith(b"\n"):
        got += sock.recv(4000)


def flood(port: int, size: int) -> int:
    """Never waiting for a reply, fifty at a time."""
    sock, mails, count = greeted(port), (HEAD + body(size)) * 50, 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        sock.sendall(mails)
        seen = 0
        while seen < 50:
            seen += sock.recv(65536).count(b"2.6.0")
        count += 50
    return count


if __name__ == "__main__":
    main()
