"""The two Stalwart APIs as small HTTP servers on loopback, and servers that are neither."""

import base64
import json
import ssl
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from dnsops.base.errors import ForUser, Later
from dnsops.base.secrets import Secret
from dnsops.certs.chain import from_pem
from dnsops.certs.sources.door import parse
from dnsops.certs.sources.stalwart_api import LARGEST_ANSWER, Credentials, StalwartApi
from tests.dnsops.certs.making import DAY, HOST, NOW, Authority

CANARY = "canary-5d1c"
TOKEN = Credentials(Secret(CANARY))


@contextmanager
def serving(answer, tls=None):
    """`answer(method, path, query, body, authorization) -> (status, headers, body)`; gives the URL and what was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply("GET", None)

        def do_POST(self):
            self.reply("POST", json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, method, body):
            parts = urlsplit(self.path)
            asked.append((method, parts.path))
            said = answer(method, parts.path, parse_qs(parts.query), body, self.headers.get("Authorization"))
            if callable(said):
                said(self)
                return
            status, headers, data = said
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://{'localhost' if tls else '127.0.0.1'}:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def ok(document, status=200):
    return status, {"Content-Type": "application/json"}, json.dumps(document).encode()


def old(settings):
    """Stalwart up to 0.15."""

    def answer(method, path, query, body, authorization):
        if (
            authorization != f"Bearer {CANARY}"
            and authorization != "Basic " + base64.b64encode(f"admin:{CANARY}".encode()).decode()
        ):
            return ok({"type": "about:blank", "status": 401}, 401)
        if (method, path) != ("GET", "/api/settings/keys"):
            return ok({"status": 404}, 404)
        return ok({"data": {key: settings[key] for key in query["keys"] if key in settings}})

    return answer


def new(certificates, path="/api", missing=404):
    """Stalwart from 0.16: JMAP with a back reference."""

    def answer(method, asked_path, query, body, authorization):
        if authorization != f"Bearer {CANARY}":
            return ok({"status": 401}, 401)
        if (method, asked_path) != ("POST", path):
            return missing, {}, b"<html>not here</html>"
        (query_name, _, tag), (get_name, arguments, second) = body["methodCalls"]
        assert (query_name, get_name) == ("x:Certificate/query", "x:Certificate/get")
        assert arguments["#ids"] == {"resultOf": tag, "name": query_name, "path": "/ids"}
        assert "privateKey" not in arguments["properties"]
        assert "urn:stalwart:jmap" in body["using"]
        answers = [
            [query_name, {"ids": list(certificates)}, tag],
            [get_name, {"list": list(certificates.values())}, second],
        ]
        return ok({"methodResponses": answers, "sessionState": "s"})

    return answer


def text(chain, name="a"):
    return {"id": name, "certificate": {"@type": "Text", "value": chain.decode()}}


def stored(pair):
    chain, key = pair
    return base64.urlsafe_b64encode(key + b"\n" + chain).rstrip(b"=").decode()


@pytest.mark.parametrize("credentials", [TOKEN, Credentials(Secret(CANARY), "admin")])
def test_the_rest_api_of_0_15(credentials, pair):
    with serving(old({"acme.letsencrypt.cert": stored(pair)})) as (url, asked):
        chain = StalwartApi(url, "letsencrypt", credentials).read(HOST)
    assert chain.certificates == from_pem(pair[0], "").certificates
    assert asked == [("GET", "/api/settings/keys")]


@pytest.mark.parametrize("path, missing", [("/api", 404), ("/api", 405), ("/jmap", 404), ("/api", 200)])
def test_the_jmap_api_of_0_16_with_and_without_an_id(path, missing, pair):
    """With an id the REST address is tried first; a server may answer the unknown one with its web page."""
    with serving(new({"a": text(pair[0])}, path, missing)) as (url, asked):
        for acme_id in ("letsencrypt", ""):
            chain = StalwartApi(url, acme_id, TOKEN).read(HOST)
            assert chain.certificates == from_pem(pair[0], "").certificates
    assert [method for method, _ in asked].count("GET") == 1


def test_of_several_the_newest_for_the_host_counts(ca):
    older, newer = ca.pair(start=NOW - 9 * DAY)[0], ca.pair(start=NOW - 2 * DAY)[0]
    other, expired = ca.pair(["x.example"], start=NOW)[0], ca.pair(start=NOW - 3 * DAY, end=NOW - DAY)[0]
    held = {n: text(c, n) for n, c in (("a", older), ("b", newer), ("c", other), ("d", expired))}
    held |= {"e": {"id": "e", "certificate": {"@type": "File", "filePath": "/x"}}, "f": 7, "g": text(b"rubbish", "g")}
    with serving(new(held)) as (url, _):
        assert StalwartApi(url, "", TOKEN).read(HOST).certificates == from_pem(newer, "").certificates


def refusing(status, headers=None):
    return lambda *_: (status, headers or {}, b"{}")


@pytest.mark.parametrize(
    "answer, acme_id, error, says",
    [
        (refusing(401), "x", ForUser, "does not accept the credentials"),
        (refusing(403), "x", ForUser, "may not read"),
        (refusing(401), "", ForUser, "does not accept the credentials"),
        (refusing(302, {"Location": "https://evil.example/"}), "x", ForUser, "redirects"),
        (refusing(500), "x", Later, "answers 500"),
        (refusing(503), "", Later, "answers 503"),
        (refusing(429), "x", Later, "answers 429"),
        (refusing(418), "x", ForUser, "answers 418"),
        (refusing(404), "x", ForUser, "neither the REST API"),
        (lambda *_: (200, {}, b"<html>"), "x", ForUser, "neither the REST API"),
        (lambda *_: ok({"data": {}}), "x", ForUser, "no ACME provider named x"),
        (lambda *_: ok({"data": {"acme.x.cert": 7}}), "x", ForUser, "no ACME provider named x"),
        (lambda *_: ok({"data": {"acme.x.cert": "%%"}}), "x", ForUser, "no base64"),
        (
            lambda *_: ok({"methodResponses": [["error", {"type": "forbidden"}, "q"]]}),
            "",
            ForUser,
            "refuses: forbidden",
        ),
        (lambda *_: ok({"methodResponses": 7}), "", ForUser, "no certificates in it"),
        (lambda *_: ok({"methodResponses": [[], 7, ["x:Certificate/get", 7]]}), "", ForUser, "no certificates in it"),
        (new({}), "", ForUser, "holds no certificate"),
    ],
)
def test_every_refusal_is_told_without_the_secret(answer, acme_id, error, says):
    with serving(answer) as (url, _), pytest.raises(error, match=says) as caught:
        StalwartApi(url, acme_id, TOKEN).read(HOST)
    assert CANARY not in str(caught.value)


def test_what_is_unfit_is_told(ca):
    with serving(new({"a": text(ca.pair(["x.example"])[0])})) as (url, _), pytest.raises(ForUser, match="not for mx1"):
        StalwartApi(url, "", TOKEN).read(HOST)
    with serving(new({"a": text(ca.pair(end=NOW - DAY / 2)[0])})) as (url, _), pytest.raises(ForUser, match="expired"):
        StalwartApi(url, "", TOKEN).read(HOST)


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(2 * LARGEST_ANSWER // 65536):
            handler.wfile.write(b" " * 65536)
    except OSError:
        pass


def dripping(handler):
    try:
        for byte in b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 200:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.05)
    except OSError:
        pass


@pytest.mark.parametrize("how, error, says", [(endless, ForUser, "larger than"), (dripping, Later, "no answer within")])
def test_endless_answers_end(how, error, says):
    with serving(lambda *_: how) as (url, _), pytest.raises(error, match=says):
        StalwartApi(url, "x", TOKEN, timeout=1.0).read(HOST)


def test_nobody_there_means_later(pair):
    with pytest.raises(Later, match="does not answer") as caught:
        StalwartApi("http://127.0.0.1:1", "x", TOKEN, timeout=2).read(HOST)
    assert CANARY not in str(caught.value)


def test_https_is_verified_and_a_ca_of_ones_own_is_possible(tmp_path, pair):
    ca = Authority()
    chain, key = ca.pair(["localhost"])
    (tmp_path / "crt").write_bytes(chain)
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "ca").write_bytes(ca.root.public_bytes(Encoding.PEM))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    with serving(new({"a": text(pair[0])}), tls) as (url, _):
        with pytest.raises(ForUser, match="cannot be verified"):
            StalwartApi(url, "", TOKEN).read(HOST)
        with pytest.raises(ForUser, match="CA file"):
            StalwartApi(url, "", TOKEN, str(tmp_path / "none")).read(HOST)
        assert StalwartApi(url, "", TOKEN, str(tmp_path / "ca")).read(HOST).covers(HOST)


def test_credentials_come_from_the_environment(monkeypatch, pair):
    for name in ("STALWART_USER", "STALWART_PASSWORD", "STALWART_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with serving(old({"acme.x.cert": stored(pair)})) as (url, _):
        source = parse(f"stalwart-api:{url}#x")
        with pytest.raises(ForUser, match="set STALWART_TOKEN"):
            source.read(HOST)
        monkeypatch.setenv("STALWART_TOKEN", CANARY)
        assert source.read(HOST)
        monkeypatch.setenv("STALWART_USER", "admin")
        monkeypatch.setenv("STALWART_PASSWORD", CANARY)
        assert source.read(HOST)
        assert CANARY not in repr(source) + source.describe()
