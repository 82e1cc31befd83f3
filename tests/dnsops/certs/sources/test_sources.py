"""Places on disk, laid out as their programs lay them out."""

import base64
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Misused
from dnsops.certs.chain import from_pem
from dnsops.certs.generations import Generations
from dnsops.certs.sources import door
from dnsops.certs.sources.door import KINDS, parse
from tests.dnsops.certs.making import DAY, HOST, NOW, Authority, ecdsa, key_pem

NOBODY = 65534


def certbot_layout(root, chain, key):
    """archive/NAME/*N.pem and live/NAME/*.pem pointing there, as certbot 2 and 5 have it."""
    archive, live = root / "archive" / HOST, root / "live" / HOST
    archive.mkdir(parents=True)
    live.mkdir(parents=True)
    leaf, _, issuer = chain.partition(b"-----END CERTIFICATE-----\n")
    parts = {"cert": leaf + b"-----END CERTIFICATE-----\n", "chain": issuer, "fullchain": chain, "privkey": key}
    for name, data in parts.items():
        (archive / f"{name}2.pem").write_bytes(data)
        (live / f"{name}.pem").symlink_to(f"../../archive/{HOST}/{name}2.pem")
    (root / "live" / "README").write_text("This directory contains your keys and certificates.")
    return f"certbot:{root}/live/{HOST}"


def lego_layout(root, chain, key):
    folder = root / "certificates"
    folder.mkdir(parents=True)
    (folder / f"{HOST}.crt").write_bytes(chain)
    (folder / f"{HOST}.issuer.crt").write_bytes(chain)
    (folder / f"{HOST}.key").write_bytes(key)
    (folder / f"{HOST}.json").write_text(json.dumps({"domain": HOST}))
    return f"lego:{root}#{HOST}"


def caddy_layout(root, chain, key, ca="acme-v02.api.letsencrypt.org-directory"):
    folder = root / "certificates" / ca / HOST
    folder.mkdir(parents=True)
    (folder / f"{HOST}.crt").write_bytes(chain)
    (folder / f"{HOST}.key").write_bytes(key)
    (folder / f"{HOST}.json").write_text(json.dumps({"sans": [HOST]}))
    return f"caddy:{root}#{HOST}"


def traefik_entry(chain, key, name=HOST):
    coded = {"certificate": base64.b64encode(chain).decode(), "key": base64.b64encode(key).decode()}
    return {"domain": {"main": name, "sans": ["alias.example.org"]}, **coded, "Store": "default"}


def traefik_layout(root, chain, key):
    root.mkdir(parents=True, exist_ok=True)
    account = {"Email": "user1@example.org", "PrivateKey": "AAAA"}
    document = {"letsencrypt": {"Account": account, "Certificates": [traefik_entry(chain, key)]}, "empty": {}}
    (root / "acme.json").write_text(json.dumps(document))
    return f"traefik:{root}/acme.json#{HOST}"


def pem_layout(root, chain, key):
    root.mkdir(parents=True)
    (root / "bundle.pem").write_bytes(key + chain)
    return f"pem:{root}/bundle.pem"


def directory_layout(root, chain, key):
    root.mkdir(parents=True)
    (root / "fullchain.pem").write_bytes(chain)
    (root / "key.pem").write_bytes(key)
    return f"pem:{root}"


LAYOUTS = [certbot_layout, lego_layout, caddy_layout, traefik_layout, pem_layout, directory_layout]
layouts = pytest.mark.parametrize("layout", LAYOUTS)


@layouts
def test_each_layout_gives_its_chain(layout, tmp_path, pair):
    spec = layout(tmp_path / "x", *pair)
    before = sorted(str(p) for p in tmp_path.rglob("*"))
    source = parse(spec)
    assert source.read(HOST).certificates == from_pem(pair[0], "").certificates
    assert source.describe()
    assert sorted(str(p) for p in tmp_path.rglob("*")) == before


@layouts
@pytest.mark.parametrize(
    "make, says",
    [
        (lambda ca: (ca.pair()[0], key_pem(ecdsa())), "key mismatch"),
        (lambda ca: ca.pair(["mx2.example.org"]), "not for mx1.example.org but for mx2.example.org"),
        (lambda ca: ca.pair(start=NOW - 9 * DAY, end=NOW - DAY), "expired on"),
        (lambda ca: ca.pair(start=NOW + DAY), "not valid before"),
        (lambda ca: (ca.pair()[0][:-40], b""), "damaged or cut off"),
        (lambda ca: (b"rubbish", b""), "no PEM certificate"),
    ],
)
def test_what_is_unfit_is_told_and_never_shows_the_key(layout, tmp_path, ca, make, says):
    chain, key = make(ca)
    spec = layout(tmp_path / "x", chain, key)
    with pytest.raises(ForUser, match=says) as caught:
        parse(spec).read(HOST)
    assert caught.value.where
    assert not any(line and line in str(caught.value) for line in key.decode().splitlines())


@layouts
def test_what_is_not_there_is_told(layout, tmp_path, pair):
    spec = layout(tmp_path / "x", *pair)
    shutil.rmtree(tmp_path / "x")
    with pytest.raises(ForUser, match=r"not there|no certificate named"):
        parse(spec).read(HOST)


@pytest.fixture
def public():
    """A directory that others may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")


@as_root
@layouts
def test_what_may_not_be_read_is_told(layout, public, pair):
    spec = layout(public / "x", *pair)
    (public / "x").chmod(0o700)
    assert "cannot be read (Permission denied)" in as_nobody(lambda: parse(spec).read(HOST))


@as_root
@pytest.mark.parametrize("layout", [certbot_layout, lego_layout, caddy_layout, directory_layout])
def test_a_key_that_may_not_be_read_does_not_matter(layout, public, pair):
    """Publishing needs the certificate only."""
    spec = layout(public / "x", *pair)
    for path in public.rglob("*key*"):
        path.chmod(0)
    assert as_nobody(lambda: parse(spec).read(HOST)) == ""


def as_nobody(act):
    """What `act` complains of in a child without root's rights; "" when it does not."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        text = "?"
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            act()
            text = ""
        except BaseException as error:
            text = str(error)
        finally:
            os.write(write, text.encode())
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read) as pipe:
        return pipe.read()


@layouts
def test_a_directory_in_place_of_the_file_is_told(layout, tmp_path, pair):
    spec = layout(tmp_path / "x", *pair)
    for path in list(tmp_path.rglob("*")):
        if path.is_file() or path.is_symlink():
            path.unlink()
            path.mkdir()
    with pytest.raises(ForUser, match=r"is not a file|a directory with none"):
        parse(spec).read(HOST)


@pytest.mark.parametrize("kind", ["certbot", "lego", "caddy", "traefik"])
def test_a_wrong_name_suggests_the_right_one(kind, tmp_path, pair):
    layout = {"certbot": certbot_layout, "lego": lego_layout, "caddy": caddy_layout, "traefik": traefik_layout}[kind]
    spec = layout(tmp_path / "x", *pair)
    with pytest.raises(ForUser, match=f"did you mean {HOST}"):
        parse(spec.removesuffix(HOST) + "mx.example.org").read(HOST)


@pytest.mark.parametrize("layout", [lego_layout, caddy_layout, traefik_layout])
def test_without_a_name_the_hosts_own_is_taken(layout, tmp_path, pair):
    spec = layout(tmp_path / "x", *pair).partition("#")[0]
    assert parse(spec).read(HOST).covers(HOST)


def test_certbot_where_it_usually_is(tmp_path, pair, monkeypatch):
    certbot_layout(tmp_path / "x", *pair)
    monkeypatch.setenv("CERTBOT_DIR", str(tmp_path / "x"))
    assert parse(f"certbot:{HOST}").read(HOST).covers(HOST)


def test_wildcards_are_found_under_their_file_names(tmp_path, ca):
    chain, _ = ca.pair(["*.example.org"])
    for folder, name in (
        ("certificates", "_.example.org"),
        ("certificates/ca/wildcard_.example.org", "wildcard_.example.org"),
    ):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / f"{name}.crt").write_bytes(chain)
    assert parse(f"lego:{tmp_path}#*.example.org").read(HOST).covers(HOST)
    (tmp_path / "certificates/_.example.org.crt").unlink()
    assert parse(f"caddy:{tmp_path}#*.example.org").read(HOST).covers(HOST)


def test_of_caddys_authorities_the_newest_fit_one_counts(tmp_path, ca):
    other = Authority("ZeroSSL")
    older, newer = ca.pair(start=NOW - 9 * DAY), other.pair(start=NOW - 2 * DAY)
    layouts = {"a": older, "b": newer, "c": ca.pair(start=NOW - 50 * DAY, end=NOW - DAY), "d": (b"rubbish", b"")}
    for name, (chain, key) in layouts.items():
        spec = caddy_layout(tmp_path, chain, key, name)
    assert parse(spec).read(HOST).certificates == from_pem(newer[0], "").certificates


def test_traefik_version_one_and_many_resolvers(tmp_path, ca):
    old, new = ca.pair(start=NOW - 9 * DAY), ca.pair(start=NOW - 2 * DAY)
    entry = traefik_entry(*old)
    capital = {"Domain": {"Main": HOST, "SANs": None}, "Certificate": entry["certificate"], "Key": entry["key"]}
    path = tmp_path / "acme.json"
    path.write_text(json.dumps({"Account": {}, "Certificates": [capital], "HTTPChallenges": {}}))
    assert parse(f"traefik:{path}").read(HOST).certificates == from_pem(old[0], "").certificates
    path.write_text(json.dumps({n: {"Certificates": [traefik_entry(*p)]} for n, p in (("a", new), ("b", old))}))
    assert parse(f"traefik:{path}#{HOST}").read(HOST).certificates == from_pem(new[0], "").certificates
    path.write_text(json.dumps({"a": {"Certificates": None}}))
    with pytest.raises(ForUser, match="no certificate for"):
        parse(f"traefik:{path}").read(HOST)


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "is empty"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no certificate for"),
        ('{"a": {"Certificates": [1, {"domain": 2}, {"domain": {"main": 3, "sans": "x"}}]}}', "no certificate for"),
        ('{"a": {"Certificates": [{"domain": {"main": "mx1.example.org"}, "certificate": "%%"}]}}', "not base64"),
        ('{"a": {"Certificates": [{"domain": {"main": "mx1.example.org"}}]}}', "not base64|no PEM"),
    ],
)
def test_a_strange_acme_json_is_told(text, says, tmp_path):
    (tmp_path / "acme.json").write_text(text)
    with pytest.raises(ForUser, match=says):
        parse(f"traefik:{tmp_path}/acme.json").read(HOST)


def test_a_fifo_or_an_endless_file_hangs_nobody(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    for path, says in ((tmp_path / "fifo", "not a file"), ("/dev/zero", "not a file"), (tmp_path, "none of fullchain")):
        with pytest.raises(ForUser, match=says):
            parse(f"pem:{path}").read(HOST)
    (tmp_path / "large").write_bytes(b" " * (2 << 20))
    with pytest.raises(ForUser, match="larger than"):
        parse(f"pem:{tmp_path}/large").read(HOST)


def test_our_own_current_and_next(tmp_path, ca):
    ours = Generations(tmp_path / "certs")
    source = parse(f"mailsrv:{tmp_path}/certs")
    with pytest.raises(ForUser, match="no certificate of our own"):
        source.read(HOST)
    ours.make_next(HOST)
    with pytest.raises(ForUser, match="not issued yet"):
        source.read(HOST)
    ours.install_chain(HOST, ca.certify(ours.csr(HOST)))
    current = ours.promote(HOST)
    announced = ours.make_next(HOST)
    assert source.read(HOST).spki == current.spki
    assert source.upcoming(HOST).spki == announced.spki
    current.key_path.write_bytes(key_pem(ecdsa()))
    with pytest.raises(ForUser, match="key mismatch"):
        source.read(HOST)


@pytest.mark.parametrize(
    "spec, says",
    [
        ("", "no source"),
        ("certbt:x", "did you mean certbot:"),
        ("startls:mx1.example.org:25", "did you mean starttls:"),
        ("/etc/ssl/x.pem", "did you mean pem:/etc/ssl/x.pem"),
        ("certbot", "no source"),
        ("pem:", "write pem:PATH"),
        ("certbot:", "write certbot:NAME"),
        ("certbot:../../root", "write certbot:NAME"),
        ("lego:#x", "write lego:DIR#NAME"),
        ("stalwart-rocksdb:/var/lib/x", "write stalwart-rocksdb:DIR#ACME_ID"),
        ("starttls:mx1.example.org", "write starttls:HOST:PORT"),
        ("starttls:mx1.example.org:0", "port 0 does not exist"),
        ("starttls:mx1.example.org:65536", "port 65536 does not exist"),
        ("starttls:mx1.example.org:465", "write tls:HOST:465"),
        ("tls:[::1]:x", "write tls:HOST:PORT"),
        ("stalwart-api:ftp://x#y", "no http address"),
        ("stalwart-api:mx1.example.org#y", "no http address"),
        ("stalwart-api:http://mx1.example.org#y", "would show the credentials"),
        ("stalwart-api:https://a:b@mx1.example.org#y", "do not belong into the address"),
        ("stalwart-api:https://[::1#y", "no http address"),
    ],
)
def test_a_wrong_spec_is_told_with_the_right_one(spec, says):
    with pytest.raises(Misused, match=says) as caught:
        parse(spec)
    assert "a:b" not in str(caught.value)


def test_every_kind_of_the_table_can_be_parsed():
    right = {
        "pem": "/x",
        "certbot": "x",
        "starttls": "[2001:db8::1]:25",
        "tls": "x.example:8443",
        "mailsrv": "",
        "stalwart-api": "https://x.example",
    }
    for kind in KINDS:
        assert parse(f"{kind.name}:{right.get(kind.name, '/x#y')}").describe()
    assert {kind.syntax.partition(":")[0] for kind in KINDS} == {kind.name for kind in KINDS}


def test_best_prefers_the_fit_over_the_new(ca):
    fit, new = from_pem(ca.pair()[0], "fit"), from_pem(ca.pair(["x.example"], start=NOW)[0], "new")
    assert door.best([new, fit], HOST, NOW).where == "fit"
    assert door.best([], HOST, NOW) is None
