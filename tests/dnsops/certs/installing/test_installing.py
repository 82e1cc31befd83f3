"""A pair reaches Stalwart once, whatever answers are lost; a command finds the pair where it always is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dnsops.base.errors import ForUser, Later, Misused
from dnsops.certs.chain import from_pem
from dnsops.certs.generations import Generation, Generations
from dnsops.certs.installing.door import install
from dnsops.certs.installing.stalwart import push
from tests.dnsops.certs.making import HOST, NOW, Authority
from tests.dnsops.certs.sources.test_stalwart_api import CANARY, ok, serving


@pytest.fixture
def pair(tmp_path: Path) -> Generation:
    ours = Generations(tmp_path / "certs", lambda: NOW)
    ours.make_next(HOST)
    ours.install_chain(HOST, Authority().certify(ours.csr(HOST)))  # type: ignore[no-untyped-call]
    return ours.promote(HOST)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STALWART_TOKEN", CANARY)
    monkeypatch.delenv("STALWART_USER", raising=False)


class Stalwart:
    """From 0.16 on: certificates that are read without their keys, and made by `set`. lose: of how many sets the answer."""

    def __init__(
        self, lose: int = 0, ignore: int = 0, refuse: dict[str, Any] | None = None, path: str = "/api"
    ) -> None:
        self.held: dict[str, dict[str, Any]] = {}
        self.sets = 0
        self.lose, self.ignore, self.refuse, self.path = lose, ignore, refuse, path

    def __call__(self, method: str, path: str, query: object, body: Any, authorization: str) -> Any:
        assert authorization == f"Bearer {CANARY}"
        if (method, path) != ("POST", self.path):
            return ok({"status": 404}, 404)
        name, arguments, tag = body["methodCalls"][0]
        if name == "x:Certificate/query":
            public = [{"id": key, "certificate": one["certificate"]} for key, one in self.held.items()]
            return ok(
                {"methodResponses": [[name, {"ids": [*self.held]}, tag], ["x:Certificate/get", {"list": public}, "g"]]}
            )
        assert name == "x:Certificate/set"
        self.sets += 1
        if self.refuse is not None:
            return ok({"methodResponses": [["x:Certificate/set", self.refuse, tag]]})
        if self.sets <= self.ignore:
            return ok({}, 503)
        ((key, made),) = arguments["create"].items()
        self.held[f"id{self.sets}"] = made
        if self.sets <= self.lose:
            return ok({}, 504)
        return ok({"methodResponses": [[name, {"created": {key: {"id": f"id{self.sets}"}}}, tag]]})


@pytest.mark.parametrize("path", ["/api", "/jmap"])
def test_it_is_pushed_once_and_whole(pair: Generation, path: str) -> None:
    server = Stalwart(path=path)
    with serving(server) as (url, _):
        for _ in range(3):
            push(f"stalwart-api:{url}", pair)
    ((_, held),) = server.held.items()
    assert server.sets == 1
    assert held["certificate"] == {"@type": "Text", "value": pair.chain_path.read_text()}
    assert held["privateKey"] == {"@type": "Text", "secret": pair.key_path.read_text()}
    assert pair.chain
    assert from_pem(held["certificate"]["value"].encode(), "").certificates == pair.chain.certificates


def test_a_lost_answer_is_settled_by_reading(pair: Generation) -> None:
    server = Stalwart(lose=1)
    with serving(server) as (url, _):
        push(f"stalwart-api:{url}", pair)
        push(f"stalwart-api:{url}", pair)
    assert (server.sets, len(server.held)) == (1, 1)


def test_a_request_that_was_not_carried_out_is_made_again_by_the_next_run(pair: Generation) -> None:
    server = Stalwart(ignore=1)
    with serving(server) as (url, _):
        with pytest.raises(Later, match="503"):
            push(f"stalwart-api:{url}", pair)
        push(f"stalwart-api:{url}", pair)
    assert (server.sets, len(server.held)) == (2, 1)


REFUSALS: list[dict[str, Any]] = [
    {"notCreated": {"pair": {"type": "forbidden"}}},
    {"notCreated": {"pair": {"type": "invalidProperties", "properties": ["certificate"]}}},
    {"type": "unknownMethod"},
    {"created": {"other": {}}},
    {},
]


@pytest.mark.parametrize("said", REFUSALS)
def test_a_refusal_is_told_without_the_key(pair: Generation, said: dict[str, Any]) -> None:
    with serving(Stalwart(refuse=said)) as (url, _), pytest.raises(ForUser, match="does not take the pair") as caught:
        push(f"stalwart-api:{url}", pair)
    secret = pair.key_path.read_text().splitlines()[1]
    assert secret not in str(caught.value)
    assert CANARY not in json.dumps([str(caught.value)])


def test_only_a_pair_with_a_certificate(pair: Generation) -> None:
    bare = Generations(pair.path.parent.parent, lambda: NOW).make_next(HOST)
    with serving(Stalwart()) as (url, _), pytest.raises(ForUser, match="no certificate yet"):
        push(f"stalwart-api:{url}", bare)
    with pytest.raises(Misused):
        push("pem:/x", pair)


def told(words: Sequence[str], pair: Generation) -> tuple[str, list[tuple[Sequence[str], Mapping[str, str]]]]:
    ran: list[tuple[Sequence[str], Mapping[str, str]]] = []

    async def run(command: Sequence[str], environ: Mapping[str, str]) -> str:
        ran.append((command, environ))
        return "exit status 3"

    return asyncio.run(install(words, pair, run)), ran


def test_a_command_finds_the_pair_by_names_that_stay(pair: Generation) -> None:
    problem, ((command, environ),) = told(["systemctl", "reload", "postfix"], pair)
    assert (problem, command) == ("exit status 3", ["systemctl", "reload", "postfix"])
    assert environ["MAILSRV_HOST"] == HOST
    for name, path in (("MAILSRV_KEY", pair.key_path), ("MAILSRV_CHAIN", pair.chain_path)):
        assert Path(environ[name]).read_bytes() == path.read_bytes()
        assert "current" in environ[name]


def test_stalwart_behind_the_same_door_runs_no_command(pair: Generation) -> None:
    with serving(Stalwart()) as (url, _):
        assert told([f"stalwart-api:{url}"], pair) == ("", [])
    problem, _ = told(["stalwart-api:http://127.0.0.1:1"], pair)
    assert "does not answer" in problem
