import os
import shutil
import stat
import sys
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dnsops.base import files
from dnsops.base.errors import ForUser, Later
from dnsops.certs.chain import key_name, key_spki
from dnsops.certs.generations import Generations
from tests.dnsops.certs.making import DAY, HOST, NOW, Authority, ecdsa

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
DURABLE = {"os.mkdir", "os.rename", "os.symlink", "os.remove", "os.rmdir", "os.chmod", "os.truncate"}


@pytest.fixture
def ours(tmp_path):
    return Generations(tmp_path / "certs", lambda: NOW)


def renewed(ours, ca, host=HOST):
    """One whole life: a next key, its certificate, the switch."""
    ours.make_next(host)
    ours.install_chain(host, ca.certify(ours.csr(host)))
    return ours.promote(host)


def test_a_key_is_made_certified_and_promoted(ours, ca):
    assert ours.current(HOST) is None
    assert ours.next(HOST) is None
    first = ours.make_next(HOST)
    assert first.chain is None
    assert load_pem_private_key(first.key_path.read_bytes(), None).curve.name == "secp256r1"
    installed = ours.install_chain(HOST, ca.certify(ours.csr(HOST, ["mail.example.org", "Bücher.example"])))
    assert installed.path == first.path
    assert installed.chain.names == (HOST, "mail.example.org", "xn--bcher-kva.example")
    assert ours.promote(HOST).path == first.path
    assert ours.next(HOST) is None
    second = renewed(ours, ca)
    assert ours.current(HOST).path == second.path != first.path
    assert second.spki == second.chain.spki != first.spki
    assert ours.hosts() == (HOST,)


@pytest.mark.parametrize("kind, name", [("p256", "ECDSA P-256"), ("p384", "ECDSA P-384"), ("rsa3072", "RSA 3072")])
def test_each_kind_of_key_asks_for_names_and_wildcards(tmp_path, ca, kind, name):
    ours = Generations(tmp_path / "certs", lambda: NOW, kind)
    ours.make_next(HOST)
    wanted = ["*.example.org", "mta-sts.example.net"]
    installed = ours.install_chain(HOST, ca.certify(ours.csr(HOST, wanted)), wanted)
    assert (key_name(installed.chain), installed.chain.names) == (name, (HOST, *wanted))
    assert ours.promote(HOST).spki == installed.chain.spki


def test_another_kind_is_for_the_key_after_the_announced_one(tmp_path, ours):
    announced = ours.make_next(HOST)
    assert Generations(ours.directory, lambda: NOW, "rsa3072").make_next(HOST).spki == announced.spki


def test_an_announced_key_is_never_replaced(ours):
    announced = ours.make_next(HOST)
    assert ours.make_next(HOST).spki == announced.spki


def test_nobody_else_may_look(ours, ca):
    renewed(ours, ca)
    ours.make_next(HOST)
    for path in [ours.directory, *ours.directory.rglob("*")]:
        allowed = 0o700 if path.is_dir() else 0o600
        assert path.is_symlink() or stat.S_IMODE(path.stat().st_mode) == allowed


def test_a_renewal_with_the_current_key_stays_in_its_generation(ours, ca):
    current = renewed(ours, ca)
    upcoming = ours.make_next(HOST)
    ours.install_chain(HOST, ca.certify(current.csr(), end=NOW + 300 * DAY))
    assert ours.current(HOST).path == current.path
    assert ours.current(HOST).chain.not_after == NOW + 300 * DAY
    assert ours.next(HOST).spki == upcoming.spki
    assert ours.next(HOST).chain is None


@pytest.mark.parametrize(
    "chain, says",
    [
        (lambda ca, key: ca.issue(ecdsa().public_key()), "key mismatch"),
        (lambda ca, key: ca.issue(key, ["mx2.example.org"]), "not for mx1.example.org but for mx2"),
        (lambda ca, key: ca.issue(key, end=NOW), "expired"),
        (lambda ca, key: ca.issue(key, start=NOW + DAY), "not valid before"),
        (lambda ca, key: ca.issue(key) + Authority("Other").issue(key), "not issued by the one after it"),
        (lambda ca, key: ca.issue(key)[:-50], "cut off"),
        (lambda ca, key: b"", "no PEM certificate"),
    ],
)
def test_an_unfit_chain_is_refused_and_nothing_changes(ours, ca, chain, says):
    """P-21: the pair in use stays until a complete, matching, ordered, valid one for all names is there."""
    current = renewed(ours, ca)
    upcoming = ours.make_next(HOST)
    before = current.chain_path.read_bytes()
    key = load_pem_private_key(upcoming.key_path.read_bytes(), None).public_key()
    with pytest.raises(ForUser, match=says):
        ours.install_chain(HOST, chain(ca, key))
    with pytest.raises(ForUser, match="no certificate yet"):
        ours.promote(HOST)
    assert ours.current(HOST).path == current.path
    assert current.chain_path.read_bytes() == before


def test_every_wanted_name_must_be_there(ours, ca):
    ours.make_next(HOST)
    with pytest.raises(ForUser, match=r"not for imap\.example\.org"):
        ours.install_chain(HOST, ca.certify(ours.csr(HOST)), ["imap.example.org"])


def test_a_private_key_in_the_text_stays_out_of_the_chain(ours, ca):
    upcoming = ours.make_next(HOST)
    ours.install_chain(HOST, upcoming.key_path.read_bytes() + ca.certify(ours.csr(HOST)))
    assert b"PRIVATE" not in upcoming.chain_path.read_bytes()


def test_what_expired_while_it_waited_is_not_promoted(ours, ca):
    ours.make_next(HOST)
    ours.install_chain(HOST, ca.certify(ours.csr(HOST), end=NOW + DAY))
    with pytest.raises(ForUser, match="expired"):
        Generations(ours.directory, lambda: NOW + 2 * DAY).promote(HOST)
    assert ours.current(HOST) is None


def test_promoting_nothing_is_refused(ours):
    with pytest.raises(ForUser, match="no next key"):
        ours.promote(HOST)
    with pytest.raises(ForUser, match="no next key"):
        ours.csr(HOST)


@pytest.mark.parametrize("host", ["../../etc", "mx1/../..", "", "/", "localhost", "mx1.example.org\n.x", "192.0.2.1"])
def test_only_host_names_become_directories(ours, host):
    with pytest.raises(ForUser):
        ours.make_next(host)
    assert not ours.directory.exists()


def test_old_generations_go_but_for_those_to_keep(ours, ca):
    paths = [renewed(ours, ca).path for _ in range(4)]
    upcoming = ours.make_next(HOST).path
    assert ours.prune_old(HOST, keep=1) == tuple(paths[:2])
    assert sorted(p.name for p in ours.current(HOST).path.parent.iterdir() if p.is_dir() and not p.is_symlink()) == [
        paths[2].name,
        paths[3].name,
        upcoming.name,
    ]
    assert ours.prune_old(HOST, keep=0) == (paths[2],)
    assert ours.current(HOST).path == paths[3]
    assert ours.next(HOST).path == upcoming


def test_a_link_to_nowhere_is_told(ours, ca):
    shutil.rmtree(renewed(ours, ca).path)
    with pytest.raises(ForUser, match="where no generation is"):
        ours.current(HOST)


def test_two_writers_do_not_meet(ours):
    ours.make_next(HOST)
    with files.lock(ours.directory / HOST / ".lock"), pytest.raises(Later):
        ours.promote(HOST)


def test_a_disk_that_refuses_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ForUser, match="cannot be written"):
        Generations(tmp_path / "file").make_next(HOST)


def story(ours, ca):
    """Two lives and everything that writes; starts with a complete pair in use."""
    ours.make_next(HOST)
    ours.install_chain(HOST, ca.certify(ours.csr(HOST)))
    ours.promote(HOST)
    ours.prune_old(HOST, keep=0)
    ours.install_chain(HOST, ca.certify(ours.current(HOST).csr(), end=NOW + timedelta(days=80)))
    ours.make_next(HOST)


def dies_before_step(number, ours, ca):
    """Run the story in a child that is gone, as by kill -9, before its n-th change of the disk. True when it came to the end."""
    child = os.fork()
    if child == 0:
        steps = 0

        def count(event, arguments):
            nonlocal steps
            writing = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES
            if event in DURABLE or writing:
                steps += 1
                if steps == number:
                    os._exit(9)

        sys.addaudithook(count)
        try:
            story(ours, ca)
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 9)
    return status == 0


def test_whenever_it_dies_the_current_pair_is_whole_and_the_story_can_go_on(tmp_path, ca):
    steps = 0
    finished = False
    while not finished:
        steps += 1
        ours = Generations(tmp_path / str(steps), lambda: NOW)
        first = renewed(ours, ca)
        finished = dies_before_step(steps, ours, ca)
        current, upcoming = ours.current(HOST), ours.next(HOST)
        assert current.spki == current.chain.spki == key_spki(current.key_path.read_bytes(), "")
        x509.load_pem_x509_certificates(current.chain_path.read_bytes())
        assert upcoming is None or (upcoming.spki and upcoming.path != current.path)
        assert (current.path == first.path) is (current.spki == first.spki)
        assert not finished or current.path != first.path
        story(ours, ca)
        kept = {entry.name for entry in current.path.parent.iterdir()}
        assert kept == {".lock", "current", "next", ours.current(HOST).path.name, ours.next(HOST).path.name}
        assert sorted(entry.name for entry in ours.current(HOST).path.iterdir()) == ["chain.pem", "key.pem"]
    assert steps > 25
