"""A secret is shown by `reveal` and by nothing else; what is wrong with its place is said without it."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dnsops.base import secrets
from dnsops.base.errors import Misconfigured
from dnsops.base.secrets import Secret

WORD = "hunter2-hunter2"


@dataclass(frozen=True)
class Holder:
    token: Secret


def _in_a_traceback(secret: Secret) -> str:
    try:
        raise ValueError(secret)
    except ValueError as error:
        return "".join(traceback.format_exception(error))


WAYS: dict[str, Callable[[Secret], str]] = {
    "str": str,
    "repr": repr,
    "an f-string": lambda secret: f"{secret}",
    "a width": lambda secret: f"{secret:>20}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "in a list": lambda secret: str([secret]),
    "in a dataclass": lambda secret: str(Holder(secret)),
    "json": lambda secret: json.dumps({"token": secret}, default=str),
    "a log record": lambda secret: logging.LogRecord("a", 1, "b", 1, "%s", (secret,), None).getMessage(),
    "a traceback": _in_a_traceback,
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_printing_shows_it(way: str) -> None:
    text = WAYS[way](Secret(WORD))
    assert "hunter" not in text
    assert "<secret>" in text


def test_reveal_shows_it() -> None:
    assert Secret(WORD).reveal() == WORD


def test_it_is_not_pickled_and_has_no_attributes_to_dump() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(WORD))
    with pytest.raises(TypeError):
        copy.deepcopy(Secret(WORD))
    assert not hasattr(Secret(WORD), "__dict__")


def test_equal_secrets_are_equal_and_texts_are_not() -> None:
    assert Secret(WORD) == Secret(WORD)
    assert len({Secret(WORD), Secret(WORD), Secret("ä")}) == 2
    assert Secret(WORD) != WORD
    assert (bool(Secret(WORD)), bool(Secret(""))) == (True, False)


@pytest.mark.parametrize(
    "content", [b"hunter2-hunter2", b"hunter2-hunter2\n", b"\n  hunter2-hunter2 \r\nsecond line\n"]
)
def test_the_first_line_of_a_file_is_the_secret(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    assert secrets.from_file(tmp_path / "token").reveal() == WORD


@pytest.mark.parametrize(
    "content, words",
    [
        (None, "is not there"),
        (b"", "is empty"),
        (b"\n \r\n", "is empty"),
        (b"hunter\xff", "not UTF-8"),
        (b"hunter" * 20000, "longer than"),
    ],
)
def test_a_file_without_a_secret_gets_a_sentence_without_it(tmp_path: Path, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    with pytest.raises(Misconfigured, match=words) as caught:
        secrets.from_file(tmp_path / "token", "a.yml:3: dns.token")
    assert str(caught.value).startswith("a.yml:3: dns.token: ")
    assert "hunter" not in str(caught.value)
    assert str(tmp_path / "token") in str(caught.value)


def test_a_directory_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="directory"):
        secrets.from_file(tmp_path)


def test_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", f" {WORD}\n")
    assert secrets.from_env("TOKEN").reveal() == WORD
    monkeypatch.setenv("TOKEN", "  ")
    with pytest.raises(Misconfigured, match="TOKEN is not set"):
        secrets.from_env("TOKEN")


def test_a_systemd_credential(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(Misconfigured, match="LoadCredential=token:FILE"):
        secrets.from_credential("token")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "token").write_text(WORD)
    assert secrets.from_credential("token").reveal() == WORD
    for name in ("../token", "a/b"):
        with pytest.raises(Misconfigured, match="no slash"):
            secrets.from_credential(name)
