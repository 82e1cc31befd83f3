"""A configuration is read whole, or refused with every error's file, line, key and advice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

from dnsops.base import settings
from dnsops.base.secrets import Secret
from dnsops.base.settings import Flaws, Settings
from dnsops.base.settings.load import section_of
from dnsops.records import names

DESIGN = """\
hostname: mx1.example.org
domains: [example.org]
dns: {provider: cloudflare, token: !file /etc/mailsrv/cloudflare-token}
acme: {contact: user1@example.org}            # directory: Let's Encrypt unless given
accounts:
  - name: user1
    password: !file /etc/mailsrv/pw1
    addresses: [user1@example.org, user1real@example.org]
    may_send_as: ["user1+*@example.org"]
  - {name: postmaster, password: !file /etc/mailsrv/pw1, addresses: [postmaster@example.org]}
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "m.yml"
    file.write_text(text, encoding="utf-8")
    return file


def errors(folder: Path, text: str) -> list[str]:
    with pytest.raises(Flaws) as caught:
        settings.load(write(folder, text), names.host)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def test_the_example_of_the_design_loads(tmp_path: Path) -> None:
    house = settings.load(write(tmp_path, DESIGN))
    assert (house.hostname, house.domains) == ("mx1.example.org", ("example.org",))
    assert house.dns is not None
    assert house.dns.ttl == 300
    assert house.acme.directory.startswith("https://acme-v02.")
    assert [account.name for account in house.accounts] == ["user1", "postmaster"]
    assert house.tlsa.targets == ()
    assert [(t.host, t.ports, t.sources) for t in house.targets] == [("mx1.example.org", (25, 465, 993), ("mailsrv:",))]


def test_the_example_we_print_loads(tmp_path: Path) -> None:
    house = settings.load(write(tmp_path, settings.example()), names.host)
    assert house.hostname == "mx1.example.org"


H = "hostname: a.example.org\n"
A = "addresses: [u@example.org]"
WRONG = [
    # text, the lines of the error
    ("", ["m.yml:1: hostname: is missing - add `hostname: mx1.example.org`"]),
    ("hostnme: x.example.org\n" + H, ["m.yml:1: hostnme: there is no such setting - did you mean hostname?"]),
    (
        H + "listeners:\n  imaps:\n    port: imap\n",
        ['m.yml:4: listeners.imaps.port: not a number: "imap" - write it like 993'],
    ),
    (
        H + "tlsa: {targets: [{host: a.example.org, ports: [0]}]}",
        [
            'm.yml:2: tlsa.targets[0].ports[0]: out of range: "0", it must be at least 1 - write it like [25, 465]',
        ],
    ),
    (
        H + "dns: {provider: cloudflair}",
        ['m.yml:2: dns.provider: no such value: "cloudflair" - did you mean cloudflare?'],
    ),
    (
        H + "dns:\n  provider: cloudflare\n  token: s3cr3t-t0ken\n",
        [
            "m.yml:4: dns.token: a secret stands in plain text here - put it into a file of mode 0600 and write !file PATH (or !env NAME, !credential NAME)"
        ],
    ),
    (
        H + "dns: {provider: cloudflare, ttl: 1}",
        ['m.yml:2: dns.ttl: out of range: "1", it must be at least 30 - write it like 300'],
    ),
    (
        H + "dns: {provider: rfc2136}",
        ["m.yml:2: dns: the provider rfc2136 needs `server` - add `server: ns1.example.org`"],
    ),
    (
        H + "dns: {provider: octodns, config: f.yaml}",
        ["m.yml:2: dns: the provider octodns needs `name` - add `name: route53`"],
    ),
    (
        H + "dns: {provider: cloudflare, name: there}",
        ["m.yml:2: dns.name: means nothing to the provider cloudflare - it is for octodns: remove it"],
    ),
    (
        H + "dns: {provider: zonefile, path: z, server: x}",
        ["m.yml:2: dns.server: means nothing to the provider zonefile - it is for rfc2136: remove it"],
    ),
    (
        "hostname: true\n",
        ['m.yml:1: hostname: a text is wanted, and YAML reads true as no text - write it in quotes: "true"'],
    ),
    (
        "hostname: 12\n",
        ['m.yml:1: hostname: a text is wanted, and YAML reads 12 as no text - write it in quotes: "12"'],
    ),
    (
        "hostname: mx1\n",
        ["m.yml:1: hostname: 'mx1' is not a full host name - write it with its domain: mx1.example.org"],
    ),
    (H + "timers: {run: maybe}", ['m.yml:2: timers.run: neither true nor false: "maybe" - write it like true']),
    (
        H + "timers: {jobs: {tlsa: {every: soon}}}",
        ["m.yml:2: timers.jobs.tlsa.every: not a length of time: 'soon' - write it like 5min, 30s or 1h 30min"],
    ),
    (
        H + "timers: {jobs: {tlsa: {evry: 5min}}}",
        ["m.yml:2: timers.jobs.tlsa.evry: there is no such setting - did you mean every?"],
    ),
    (
        H + "imap: yes please",
        ["m.yml:2: imap: a section is wanted here, with its own keys - its keys: allow_plaintext_auth"],
    ),
    (
        H + "alert: {webhook: 'http://example.org/x'}",
        ["m.yml:2: alert.webhook: http to example.org: anyone on the way could read it - write https://"],
    ),
    (
        H
        + f"accounts:\n  - {{name: u, password: !env P, {A}}}\n  - {{name: U, password: !env P, addresses: [v@example.org]}}",
        ["m.yml:4: accounts[1].name: U is there twice - it is accounts[0].name already: keep one"],
    ),
    (
        H + f"accounts:\n- {{name: u, {A}}}",
        ["m.yml:3: accounts[0]: has no password - add `password: !file PATH` or `password_hash:`"],
    ),
    (
        H + f'accounts:\n- {{name: u, password: !env P, password_hash: "$6$x", {A}}}',
        ["m.yml:3: accounts[0].password_hash: both password and password_hash are given - keep one"],
    ),
    (
        H + "tlsa: {targets: [{host: A.Example.org., ports: 25}, {host: a.example.org}]}",
        [
            "m.yml:2: tlsa.targets[1].ports[0]: a.example.org:25 is there twice - it is tlsa.targets[0].ports[0] already: keep one"
        ],
    ),
    (
        H + "tlsa: {targets: [{host: a.example.org, sources: /etc/x.pem}]}",
        [
            "m.yml:2: tlsa.targets[0].sources[0]: not a source of certificates: '/etc/x.pem' - write KIND:PLACE, such as certbot:mx1.example.org"
        ],
    ),
    (
        H + "tlsa: {targets: [{host: a.example.org, ports: []}]}",
        ["m.yml:2: tlsa.targets[0].ports: needs at least one value - write it like [25, 465]"],
    ),
    (
        H + "domains: ['{x}.y']\nlog: {format: txt}\nqueues: 1\n",
        [
            "m.yml:2: domains[0]: {x}.y: '{' does not belong into a name",
            'm.yml:3: log.format: no such value: "txt" - did you mean text?',
            "m.yml:4: queues: there is no such setting - did you mean queue?",
        ],
    ),
]


@pytest.mark.parametrize("text, lines", WRONG, ids=[text[-30:] for text, _ in WRONG])
def test_what_is_wrong_has_file_line_key_and_advice(tmp_path: Path, text: str, lines: list[str]) -> None:
    assert errors(tmp_path, text) == lines


def test_a_plain_secret_is_not_repeated(tmp_path: Path) -> None:
    text = (
        H
        + "dns: {provider: cloudflare, token: s3cr3t}\naccounts: [{name: [s3cr3t], password: s3cr3t, addresses: {a: s3cr3t}}]"
    )
    assert "s3cr3t" not in "".join(errors(tmp_path, text))


def test_names_are_spelled_by_whom_it_is_handed(tmp_path: Path) -> None:
    file = write(tmp_path, "hostname: MX1.Bücher.Example.\ndomains: BÜCHER.example\n")
    assert settings.load(file).hostname == "mx1.bücher.example"
    house = settings.load(file, names.host)
    assert (house.hostname, house.domains) == ("mx1.xn--bcher-kva.example", ("xn--bcher-kva.example",))


def test_relative_files_lie_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc\n", encoding="ascii")
    house = settings.load(write(tmp_path, H + "dns: {provider: cloudflare, token: !file token}\nstate: {directory: s}"))
    assert house.dns is not None
    assert house.dns.token is not None
    assert house.dns.token.reveal() == "abc"
    assert house.state.directory == tmp_path / "s"


def test_a_secret_is_read_when_it_is_needed(tmp_path: Path) -> None:
    house = settings.load(write(tmp_path, DESIGN.replace("/etc/mailsrv", str(tmp_path))))
    (tmp_path / "cloudflare-token").write_text("t", encoding="ascii")
    missing = settings.unread_secrets(house)
    assert len(missing) == 2
    assert str(missing[0]).startswith(
        f"{tmp_path}/m.yml:7: accounts[0].password: the secret's file {tmp_path}/pw1 is not there"
    )


def test_systemd_hands_files_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "credentials"
    given.mkdir()
    (given / "cloudflare-token").write_text("from systemd", encoding="ascii")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    house = settings.load(write(tmp_path, H + "dns: {provider: cloudflare, token: !file /root/cloudflare-token}"))
    assert house.dns is not None
    assert house.dns.token is not None
    assert house.dns.token.reveal() == "from systemd"
    (given / "tsig.key").touch()
    house = settings.load(write(tmp_path, H + "dns: {provider: rfc2136, server: ns, key_file: /root/tsig.key}"))
    assert house.dns is not None
    assert house.dns.key_file == given / "tsig.key"


def test_no_spelling_of_a_secret_prints_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("P", "s3cr3t")
    text = H + 'accounts: [{name: u, password: !env P, addresses: u@example.org}]\nadmin: {password_hash: "$6$s3cr3t"}'
    house = settings.load(write(tmp_path, text))
    house.accounts[0].password.reveal() if house.accounts[0].password else None
    for printed in (repr(house), str(house), house.model_dump_json(), str(settings.show(house)), f"{house!r:>10}"):
        assert "s3cr3t" not in printed
    assert house.admin is not None
    assert isinstance(house.admin.password_hash, Secret)


def test_every_example_is_good(tmp_path: Path) -> None:
    """Each setting's own example, alone in its place, is accepted by its type."""
    from pydantic import BaseModel, TypeAdapter

    seen = 0
    todo: list[type[BaseModel]] = [Settings]
    while todo:
        model = todo.pop()
        for name, field in model.model_fields.items():
            assert field.description, name
            assert field.description.endswith("."), name
            assert field.annotation is not None
            section = section_of(field.annotation)
            if section:
                todo.append(section)
            for example in field.examples or []:
                if not str(example).startswith("!"):
                    whole = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
                    TypeAdapter(whole).validate_python(example)
                seen += 1
    assert seen > 60
