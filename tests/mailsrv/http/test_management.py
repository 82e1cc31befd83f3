"""The management listener of a running server: what it tells, to whom, and what it withstands."""

from __future__ import annotations

import http.client
import json
import os
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mailsrv.http.measures import MOST_EVENTS, Measures
from tests.lab.mailserver import DOMAIN, MailServer

TOOLS = Path(os.environ.get("MAILSRV_TOOLS", "") or Path(__file__).parents[4] / "shared" / "tools") / "attack"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("serve")) as running:
        yield running


def get(server: MailServer, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    client = http.client.HTTPConnection(server.address, server.ports["http"], timeout=10)
    client.request(method, path, headers=headers)
    answer = client.getresponse()
    return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read().decode()


def figures(server: MailServer) -> dict[tuple[str, str], float]:
    """Sample name and its labels' values -> value; the text is read by Prometheus' own parser."""
    status, headers, text = get(server, "/metrics")
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_health_for_programs_and_people(server: MailServer) -> None:
    status, headers, text = get(server, "/health", accept="application/json")
    told = json.loads(text)
    assert (status, told["well"]) == (200, True)
    assert [one["what"] for one in told["findings"]] == ["serving", "store", "queue", "disk", "certificate"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers
    status, headers, text = get(server, "/")
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert "answered in" in text
    assert get(server, "/live")[::2] == (200, "alive\n")
    assert get(server, "/ready")[::2] == (200, "ready\n")
    assert get(server, "/health", method="HEAD")[::2] == (200, "")


def test_figures_grow_with_what_happens(server: MailServer) -> None:
    before = figures(server)
    server.send()
    server.send()
    with server.imap() as client:
        client.noop()
        assert figures(server)["mailsrv_sessions", "imap"] == 1
    with smtplib.SMTP_SSL(server.address, server.ports["submissions"], context=server.trust) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("alice", "wrong")
    after = figures(server)
    grown = {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}
    assert grown["mailsrv_messages_received_total", "smtp"] == 2
    assert grown["mailsrv_recipients_total", ""] == 2
    assert grown["mailsrv_message_size_bytes_count", ""] == 2
    assert grown["mailsrv_logins_total", "imap,ok"] == 1
    assert grown["mailsrv_logins_total", "smtp,failed"] >= 1
    assert after["mailsrv_queue_recipients", ""] == 0
    assert after["mailsrv_certificate_not_after_seconds", ""] > 1e9
    assert ("process_resident_memory_bytes", "") in after


def test_no_name_of_anybody_is_in_it(server: MailServer) -> None:
    server.send(sender="secret@stranger.example")
    with server.imap() as client:
        client.noop()
    told = get(server, "/metrics")[2] + get(server, "/health")[2]
    assert not any(word in told for word in ("alice", DOMAIN, "stranger", "secret"))


@pytest.mark.parametrize(
    "host,status",
    [
        ("localhost", 200),
        ("[::1]:8080", 200),
        ("mx.mail.test", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
    ],
)
def test_a_web_page_elsewhere_cannot_read_it(server: MailServer, host: str, status: int) -> None:
    assert get(server, "/metrics", host=host)[0] == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"])
def test_nothing_changes_anything(server: MailServer, method: str) -> None:
    assert get(server, "/health", method=method)[0] in (400, 405)


@pytest.mark.parametrize("path", ["/nothing", "/../etc/passwd", "/%2e%2e/etc/passwd", "/metrics/", "//evil.example/"])
def test_there_is_nothing_else(server: MailServer, path: str) -> None:
    status, headers, text = get(server, path)
    assert status in (307, 400, 404)
    assert "evil" not in headers.get("location", "")
    assert "root:" not in text


def test_slow_and_fat_requests_hold_up_nobody(server: MailServer) -> None:
    held = [socket.create_connection((server.address, server.ports["http"]), 10) for _ in range(30)]
    try:
        for sock in held:
            sock.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\nX: ")
        assert get(server, "/live")[0] == 200
        with socket.create_connection((server.address, server.ports["http"]), 10) as fat:
            fat.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            assert _refused(fat)
        assert get(server, "/live")[0] == 200
    finally:
        for sock in held:
            sock.close()


def _refused(fat: socket.socket) -> bool:
    """Whether an endless head comes to an end: with 400, or with a closed connection."""
    try:
        for _ in range(200):
            fat.sendall(b"X-Long: " + b"a" * 65536 + b"\r\n")
        return fat.recv(1000)[:12] in (b"HTTP/1.1 400", b"")
    except OSError:
        return True


@pytest.mark.skipif(
    not TOOLS.is_dir(), reason=f"the attack scripts are not at {TOOLS}; MAILSRV_TOOLS may name their folder"
)
def test_the_attack_script(server: MailServer) -> None:
    done = subprocess.run(
        [
            sys.executable,
            str(TOOLS / "http_attack.py"),
            server.address,
            str(server.ports["http"]),
            "--vhost",
            "localhost",
            "--groups",
            "parsing",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_strange_events_are_bounded() -> None:
    measures = Measures()
    for n in range(3 * MOST_EVENTS):
        measures.heard(f"strange.{n}", {})
    families = text_string_to_metric_families(measures.text([]).decode())
    events = next(family for family in families if family.name == "mailsrv_events")
    assert len([one for one in events.samples if one.name == "mailsrv_events_total"]) <= MOST_EVENTS + 1
