"""octoDNS's plugins as providers: Cloudflare's beside our own at one API, a directory of YAML files, and whatever goes wrong."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Later, Misconfigured
from dnsops.base.secrets import Secret
from dnsops.providers.choose import parse
from dnsops.providers.cloudflare import Cloudflare
from dnsops.providers.door import Change, Mark
from dnsops.providers.octodns import OctoDns
from dnsops.providers.octodns_plugin import Plugin
from dnsops.records.rdata import Record, strings, txt
from tests.dnsops.providers import places
from tests.dnsops.providers.places import STRANGERS, ZONE, Place, record
from tests.lab.cloudflare_api import CloudflareApi

ZONE_OF_A_MAIL_DOMAIN = (
    record("_25._tcp.mx.example.org", "TLSA", "3 1 1 " + "ab" * 32),
    record("_25._tcp.mx.example.org", "TLSA", "3 1 1 " + "cd" * 32),
    record("mx.example.org", "AAAA", "2001:db8::25"),
    record("example.org", "CAA", '0 issue "ca.example; validationmethods=dns-01; accounturi=https://ca.example/1"'),
    record("example.org", "CAA", '0 iodef "mailto:postmaster@example.org"'),
    record("_imaps._tcp.example.org", "SRV", "0 1 993 mx.example.org."),
    record("_imap._tcp.example.org", "SRV", "0 0 0 ."),
    record("_dmarc.example.org", "TXT", '"v=DMARC1; p=reject; rua=mailto:d@example.org"'),
    Record("sel._domainkey.example.org", "TXT", 300, txt("v=DKIM1; k=rsa; p=" + "A/b+" * 180)),
    record("mta-sts.example.org", "CNAME", "mx.example.org."),
    record("parked.example.org", "MX", "0 ."),
)


@pytest.fixture
def place(api: CloudflareApi, tmp_path: Path) -> Iterator[Place]:
    yield places.octodns(api, tmp_path)
    api.rate()


def own(api: CloudflareApi) -> Cloudflare:
    return Cloudflare(Secret(api.token), api.url, sleep=lambda _: None)


def held(provider: Cloudflare | OctoDns) -> set[Record]:
    return {
        Record(one.record.name, one.record.type, one.record.ttl, _sum(one.record))
        for one in provider.read(ZONE, below=True)
    }


def _sum(one: Record) -> object:
    return b"".join(strings(one.data)) if one.type == "TXT" else one.data


@pytest.mark.parametrize("way", ["we write, octoDNS reads", "octoDNS writes, we read"])
def test_octodns_and_we_see_the_same_cloudflare(place: Place, api: CloudflareApi, way: str) -> None:
    writer = own(api) if way.startswith("we") else place.provider
    writer.write(Change(add=ZONE_OF_A_MAIL_DOMAIN))
    ours, theirs = own(api), place.provider
    assert isinstance(theirs, OctoDns)
    assert held(ours) == held(theirs)
    assert len(held(ours)) == len(STRANGERS) + len(ZONE_OF_A_MAIL_DOMAIN)
    writer.write(Change(remove=ZONE_OF_A_MAIL_DOMAIN))
    assert len(held(ours)) == len(held(theirs)) == len(STRANGERS)


def test_octodns_finds_nothing_to_change_in_what_we_wrote(place: Place, api: CloudflareApi, tmp_path: Path) -> None:
    own(api).write(Change(add=ZONE_OF_A_MAIL_DOMAIN))
    before = {one.id: one for one in api.records(ZONE)}
    api.log.clear()
    place.provider.write(Change(add=ZONE_OF_A_MAIL_DOMAIN))
    assert {request.method for request in api.log} == {"GET"}
    assert {one.id: one for one in api.records(ZONE)} == before
    wanted, looking = (Plugin(tmp_path / "production.yaml", "there") for _ in range(2))
    assert looking._provider.plan(wanted.zone(ZONE)) is None, "octoDNS's own plan"


def test_a_directory_of_yaml_files_is_a_provider_too(tmp_path: Path) -> None:
    (tmp_path / "octodns.yaml").write_text(YAML.format(directory=tmp_path))
    (tmp_path / "example.org.yaml").write_text(
        "'':\n  type: MX\n  value: {preference: 10, exchange: mx.example.org.}\n"
    )
    provider = OctoDns(tmp_path / "octodns.yaml", "files", sleep=lambda _: None)
    provider.write(Change(add=ZONE_OF_A_MAIL_DOMAIN))
    assert {one.record for one in provider.read(ZONE, below=True)} == {
        *ZONE_OF_A_MAIL_DOMAIN,
        record(ZONE, "MX", "10 mx.example.org.", 3600),
    }
    assert {one.mark for one in provider.read(ZONE, below=True)} == {Mark.UNKNOWN}
    provider.write(Change(remove=ZONE_OF_A_MAIL_DOMAIN))
    assert [one.record.type for one in provider.read(ZONE, below=True)] == ["MX"]


@pytest.mark.parametrize(
    "change, words",
    [
        (record("mta-sts.example.org", "CNAME", "other.example.org."), "one CNAME record at a name"),
        (record("mta-sts.example.org", "A", "192.0.2.9"), "a CNAME stands at a name"),
        (record("mx.example.org", "CNAME", "other.example.org."), "other records stand at a name"),
        (record("q.example.org", "TXT", '"a \\"quoted\\" word"'), "do not agree about quotes"),
        (record("q.example.org", "SMIMEA", "3 1 1 " + "ab" * 32), "octoDNS"),
        (record("a.sub.example.org", "TXT", '"below"'), "sub.example.org is delegated"),
        (record("7.example.org", "PTR", "b.example.org."), "takes no such PTR"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(
    place: Place, api: CloudflareApi, change: Record, words: str
) -> None:
    for one in (
        record("mta-sts.example.org", "CNAME", "mx.example.org."),
        record("sub.example.org", "NS", "ns.example.net."),
        record("7.example.org", "PTR", "a.example.org."),
    ):
        own(api).write(Change(add=(one,)))
    before = place.facts()
    with pytest.raises(ForUser, match=words):
        place.provider.write(Change(add=(change, ZONE_OF_A_MAIL_DOMAIN[0])))
    assert place.facts() == before


FAULTS = {
    "500": {"status": 500},
    "429": {"status": 429, "code": 10429},
    "a closed connection": {"hang": 0.001},
    "502 as a page": {"status": 502, "body": "<html>"},
}
WRITE = Change(add=ZONE_OF_A_MAIL_DOMAIN[:3], remove=(record("old.example.org", "A", "192.0.2.7"),))


@pytest.mark.faults
@pytest.mark.parametrize("fault", [*FAULTS, "lost answer"])
def test_a_fault_at_any_call_ends_well(place: Place, api: CloudflareApi, fault: str) -> None:
    for at in range(12):
        place.reset()
        own(api).write(Change(add=WRITE.remove))
        if fault == "lost answer":
            api.drop(1, at)
        else:
            api.fail([{**FAULTS[fault], "skip": at}])
        with contextlib.suppress(Later):
            place.provider.write(WRITE)
        api.faults.clear()
        api.drop(0)
        place.provider.write(WRITE)
        assert place.facts() == places.facts([*STRANGERS, *WRITE.add])


def test_patience_ends(place: Place, api: CloudflareApi) -> None:
    api.fail([{"status": 503}] * 50)
    with pytest.raises(Later, match="octoDNS's there cannot"):
        place.provider.write(WRITE)
    api.faults.clear()


def test_a_token_without_rights_is_for_a_person_and_not_shown(
    place: Place, api: CloudflareApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_TOKEN", api.read_only_token)
    file = tmp_path / "production.yaml"
    file.write_text(file.read_text().replace(api.token, "env/LAB_TOKEN"))
    provider = parse(f"octodns:{file}#there", environ={})
    assert provider.read("mx.example.org", "A")
    with pytest.raises(ForUser, match="look at the provider's credentials") as refusal:
        provider.write(WRITE)
    assert api.read_only_token not in str(refusal.value)


def test_what_a_plugin_says_is_shown_without_secrets(place: Place, api: CloudflareApi, tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / "production.yaml", "there")

    def rude() -> None:
        raise RuntimeError(f"no\nsuch {api.token} at https://api.example/?key=abc")

    with pytest.raises(ForUser) as refusal:
        plugin._call("do it", rude)
    assert refusal.value.what == "octoDNS's there cannot do it: no such <secret> at https://api.example/?..."


@pytest.mark.parametrize(
    "text, words",
    [
        (None, "cannot be read"),
        ("[", "no octoDNS configuration"),
        ("[]", "octoDNS does not load it"),
        ("providers: {}", "octoDNS does not load it"),
        ("providers: {there: {class: no.such.Provider}}\nzones: {}", "octoDNS does not load it"),
        ("providers: {there: {class: octodns_cloudflare.CloudflareProvider, x: 1}}\nzones: {}", "does not load it"),
        (
            "providers: {other: {class: octodns.provider.yaml.YamlProvider, directory: /nowhere}}\nzones: {}",
            "name one of: other",
        ),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "octodns.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Misconfigured) as refusal:
        OctoDns(file, "there").read("example.org", "A")
    assert words in str(refusal.value)
    assert str(file) in str(refusal.value)


def test_zones_are_those_that_the_file_gives_to_it(place: Place, api: CloudflareApi, tmp_path: Path) -> None:
    file = tmp_path / "production.yaml"
    assert Plugin(file, "there").zones() == ["example.org", "notexample.org"]
    text = file.read_text().partition("zones:")[0]
    file.write_text(text + "zones:\n  example.org.: {targets: [elsewhere]}\n  'notexample.org.': {targets: [there]}\n")
    with pytest.raises(ForUser, match=r"holds mx\.example\.org"):
        OctoDns(file, "there").read("mx.example.org", "A")
    file.write_text(text + "zones:\n  '*': {targets: [there]}\n")
    assert set(Plugin(file, "there").zones()) == set(api.zones)


def test_a_provider_that_may_not_apply_says_so(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "production.yaml"
    file.write_text(file.read_text().replace("pagerules: false", "pagerules: false\n    apply_disabled: true"))
    with pytest.raises(ForUser, match="apply_disabled"):
        OctoDns(file, "there").write(WRITE)


YAML = """providers:
  files: {{class: octodns.provider.yaml.YamlProvider, directory: {directory}, enforce_order: false}}
zones:
  example.org.: {{targets: [files]}}
"""
