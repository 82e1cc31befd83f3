"""A RocksDB written by another process that holds it open all the while, as Stalwart does."""

import base64
import subprocess
import sys
import textwrap

import pytest

from dnsops.base.errors import ForUser
from dnsops.certs.chain import from_pem
from dnsops.certs.sources.door import parse
from dnsops.certs.sources.stalwart import unpack
from tests.dnsops.certs.making import DAY, HOST, NOW, ecdsa, key_pem

WRITER = textwrap.dedent(
    """
    import sys
    from rocksdict import Options, Rdict
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    families = {name: Options(raw_mode=True) for name in sys.argv[2].split(",")}
    database = Rdict(sys.argv[1], options, column_families=families)
    for line in sys.stdin:
        word, *rest = line.split()
        if word == "put":
            database.get_column_family(rest[0])[rest[1].encode()] = rest[2].encode()
        elif word == "churn":
            family = database.get_column_family("s")
            for number in range(int(rest[0])):
                family[b"x.%d" % number] = b"y" * 1000
                if number % 50 == 0:
                    family.flush()
            family.compact_range(None, None)
        elif word == "flush":
            database.get_column_family("s").flush()
        print("done", flush=True)
    """
)


class Writer:
    """Stalwart's stand-in: a process with the database open."""

    def __init__(self, path, families="s,v,p"):
        arguments = [sys.executable, "-c", WRITER, str(path), families]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.tell("open")

    def tell(self, *words):
        self._process.stdin.write(" ".join(words) + "\n")
        self._process.stdin.flush()
        if words[0] != "churn":
            assert self._process.stdout.readline() == "done\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.read()
        self._process.stdout.close()
        assert self._process.wait(30) == 0


def stored(pair) -> str:
    """Key before chain, base64 url-safe, no padding."""
    chain, key = pair
    return base64.urlsafe_b64encode(key + b"\n" + chain).rstrip(b"=").decode()


def state(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


@pytest.mark.parametrize("flushed", [False, True])
def test_it_is_read_while_the_writer_has_it_open(flushed, tmp_path, pair):
    """From the write-ahead log and from a table; nothing is left behind, the writer goes on."""
    path = tmp_path / "db"
    with Writer(path) as writer:
        writer.tell("put", "s", "acme.letsencrypt.cert", stored(pair))
        if flushed:
            writer.tell("flush")
        before = state(path)
        source = parse(f"stalwart-rocksdb:{path}#letsencrypt")
        assert source.read(HOST).certificates == from_pem(pair[0], "").certificates
        assert state(path) == before
        writer.tell("put", "s", "after", "x")
    assert parse(f"stalwart-rocksdb:{path}#letsencrypt").read(HOST)


def test_a_renewal_is_seen_at_once(tmp_path, ca, pair):
    renewed = ca.pair()
    with Writer(tmp_path) as writer:
        source = parse(f"stalwart-rocksdb:{tmp_path}#x")
        for one in (pair, renewed):
            writer.tell("put", "s", "acme.x.cert", stored(one))
            assert source.read(HOST).certificates == from_pem(one[0], "").certificates


def test_compactions_meanwhile_do_not_matter(tmp_path, pair):
    with Writer(tmp_path) as writer:
        writer.tell("put", "s", "acme.x.cert", stored(pair))
        writer.tell("churn", "2000")
        source = parse(f"stalwart-rocksdb:{tmp_path}#x")
        for _ in range(25):
            assert source.read(HOST)


def test_a_wrong_id_suggests_the_right_one(tmp_path, pair):
    with Writer(tmp_path) as writer:
        writer.tell("put", "s", "acme.letsencrypt.cert", stored(pair))
        writer.tell("put", "s", "acme.letsencrypt.account-key", "AAAA")
        with pytest.raises(ForUser, match="did you mean letsencrypt"):
            parse(f"stalwart-rocksdb:{tmp_path}#letsencrpt").read(HOST)


def test_other_versions_and_other_databases_are_told(tmp_path):
    for name, families, says in (("v016", "s,b,g", "no acme"), ("other", "x", 'no column family "s"')):
        with Writer(tmp_path / name, families):
            with pytest.raises(ForUser, match=says) as caught:
                parse(f"stalwart-rocksdb:{tmp_path / name}#letsencrypt").read(HOST)
            assert "stalwart-api:" in caught.value.advice
            assert "starttls:" in caught.value.advice


def test_what_is_no_database_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/CURRENT").write_text("MANIFEST-000001\n")
    (tmp_path / "broken/MANIFEST-000001").write_bytes(b"rubbish" * 100)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/CURRENT").mkdir()
    said = {
        "empty": "no RocksDB database",
        "file": "not a directory",
        "none": "not there",
        "broken": "cannot be opened",
    }
    for name, says in (said | {"folder": "cannot be read"}).items():
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(ForUser, match=says):
            parse(f"stalwart-rocksdb:{tmp_path / name}#x").read(HOST)
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "value, says",
    [
        (b"\x00\x01registry", "no base64"),
        (b"", "no PEM certificate"),
        (b"x" * (3 << 20), "larger than"),
        (base64.urlsafe_b64encode(b"nothing of the kind"), "no PEM certificate"),
    ],
)
def test_a_strange_value_is_told(value, says):
    with pytest.raises(ForUser, match=says):
        unpack(value, "db")


def test_every_length_unpacks_padded_or_not(ca):
    """The article's `base64 -d` dies on two lengths in three."""
    chain, key = ca.pair()
    for extra in (b"", b"\n", b"\n\n"):
        value = base64.urlsafe_b64encode(key + extra + chain)
        for text in (value, value.rstrip(b"="), value + b"\n"):
            assert unpack(text, "db").certificates == from_pem(chain, "").certificates


def test_a_strangers_key_and_an_expired_certificate_are_told(tmp_path, ca):
    with Writer(tmp_path) as writer:
        writer.tell("put", "s", "acme.a.cert", stored((ca.pair()[0], key_pem(ecdsa()))))
        writer.tell("put", "s", "acme.b.cert", stored(ca.pair(start=NOW - 9 * DAY, end=NOW - DAY)))
        for acme_id, says in (("a", "key mismatch"), ("b", "expired")):
            with pytest.raises(ForUser, match=says) as caught:
                parse(f"stalwart-rocksdb:{tmp_path}#{acme_id}").read(HOST)
            assert "PRIVATE" not in str(caught.value)
