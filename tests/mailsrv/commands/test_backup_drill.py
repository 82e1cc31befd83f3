"""The drill: a host with mail is lost and comes back from its backup, each kind of place once (P-32, DESIGN 7)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.lab.mailserver import MailServer
from tests.lab.program import wait_until
from tests.lab.s3 import BUCKET, Store
from tests.mailsrv.commands.backups import filled, mail, run, whole

SECRET = "canary-of-a-token"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("s3")) as store:
        yield store


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    subprocess.run(["age-keygen", "-o", str(tmp_path / "identity")], check=True, capture_output=True)
    return tmp_path / "identity"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path / "here") as server:
        filled(server)
        yield server


def configured(server: MailServer, store: Store | None, **backup: object) -> Mapping[str, str]:
    """The `backup:` section, keys from secret files; the environment that is left for those without a configuration."""
    lines = []
    if store:
        keys = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY"}
        for key, name in keys.items():
            (server.directory / key).write_text(store.environment[name] + "\n")
            lines.append(f"  {key}: !file {key}")
        backup["endpoint"] = store.endpoint
    lines += [f"  {key}: {json.dumps(value)}" for key, value in backup.items()]
    (server.directory / "token").write_text(SECRET + "\n")
    del server.settings["backup"]
    server.write()
    rest = server.config.read_text().rstrip().removeprefix("{").removesuffix("}")
    text = "{" + rest + ', "dns": {"provider": "cloudflare", "token": !file token}, "backup": {'
    server.config.write_text(text + ", ".join(line.strip() for line in lines) + "}}\n")
    return store.environment if store else {}


def timer(job: str, server: MailServer) -> str:
    """A run as the timers would have it; what is remembered of it."""
    words = ["timers", "run", job, "--config", str(server.config), "--json"]
    done = subprocess.run([sys.executable, "-m", "mailsrv", *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(json.loads(done.stdout)["text"])


def recipient(identity: Path) -> str:
    done = subprocess.run(["age-keygen", "-y", str(identity)], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.parametrize("kind", ["age", "s3"])
def test_a_host_is_lost_and_comes_back(
    server: MailServer, store: Store, identity: Path, tmp_path: Path, kind: str
) -> None:
    server.settings["backup"] = {}
    sealed, far = kind == "age", kind == "s3"
    place = f"s3://{BUCKET}/{tmp_path.name}" if far else str(tmp_path / "backups")
    whom = {"recipients": [recipient(identity)]} if sealed else {}
    env = configured(server, store if far else None, place=place, keep=2, **whom)
    open_it = ["--identity", str(identity)] if sealed else []
    timer("backup", server)
    time.sleep(1.1)  # a backup is named after its second
    before = mail(server)
    made = run("create", "--config", server.config)
    assert made["new"] < made["size"] / 2
    assert ("only --identity can prove" in timer("backup-proof", server)) is sealed
    assert whole("--restore", "--config", server.config, *open_it) == made["name"]
    server.stop()
    shutil.rmtree(server.directory)
    assert whole(place, *open_it, env=env) == made["name"]
    state, etc = tmp_path / "new" / "state", tmp_path / "etc"
    back = run("restore", place, "--into", state, "--other", etc, *open_it, env=env)
    assert back["files"] == made["files"]
    assert (etc / str(server.directory / "token").lstrip("/")).read_text() == SECRET + "\n"
    with MailServer(tmp_path / "there", state={"directory": str(state)}) as again:
        assert set(before[1]) == {b"1", b"2", b"4"}
        assert mail(again) == before


def test_a_backup_killed_in_mid_upload_serves_the_next(server: MailServer, store: Store, tmp_path: Path) -> None:
    place, env = f"s3://{BUCKET}/{tmp_path.name}", {**os.environ, **store.environment}
    words = ["backup", "create", place, "--config", str(server.config)]
    (server.state / "ballast").write_bytes(os.urandom(48 << 20))  # 192 pieces
    child = subprocess.Popen([sys.executable, "-m", "mailsrv", *words], stdout=subprocess.DEVNULL, env=env)
    wait_until(lambda: store.objects(f"{tmp_path.name}/pieces/") or child.poll() is not None, "the first piece")
    child.kill()
    assert child.wait() != 0, "it was faster than its end"
    assert run("list", place, env=store.environment)["backups"] == []
    assert store.objects(f"{tmp_path.name}/locks/")
    time.sleep(1.1)
    made = run("create", place, "--config", server.config, env=store.environment)
    assert whole(place, env=store.environment) == made["name"]
    assert store.objects(f"{tmp_path.name}/locks/") == {}


def test_a_secret_that_cannot_be_read_is_told_and_no_more(server: MailServer, tmp_path: Path) -> None:
    text = server.config.read_text().rstrip().removesuffix("}")
    text += ', "dns": {"provider": "cloudflare", "token": !credential cf}, "queue": {"user": "u", "next_hop": "a.test", "password": !file gone}}'
    server.config.write_text(text.replace('"queue": {\n  "next_hop": "local"\n },\n', ""))
    made = run("create", tmp_path / "backups", "--config", server.config)
    assert sorted(made["unread"]) == ["!credential cf", f"{server.directory / 'gone'}: it is not there"]
    listed = {path.name for path in (tmp_path / "backups" / "lists").iterdir()}
    assert listed == {made["name"]}


def test_without_a_place_a_timer_does_nothing_and_a_person_is_told(server: MailServer) -> None:
    for words in (("create",), ("verify", "--restore")):
        assert run_quiet(*words, "--configured", "--config", str(server.config)) == (0, "")
        assert "no place named" in run(*words, "--config", server.config, status=64)


def run_quiet(*words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mailsrv", "backup", *words, "--json"], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr
