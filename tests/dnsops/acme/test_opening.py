"""From the configuration to authority and solver; and validations that stand in the DNS for good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dnsops.acme import lasting
from dnsops.acme.answers import AlpnAnswers, HttpAnswers
from dnsops.acme.dns01 import Dns01
from dnsops.acme.opening import open_authority, solver_for
from dnsops.base.errors import ForUser, Misconfigured
from dnsops.base.settings.acme import Acme
from dnsops.providers.memory import Memory
from dnsops.records.txt.caa import Issuer
from tests.dnsops.acme import issuing
from tests.lab.acme import Pebble
from tests.lab.ari import Ari
from tests.lab.dnstree import DnsTree
from tests.lab.pki import Pki

PROVIDER = Memory(["example.org"])
CHOICES: list[tuple[str, bool, type]] = [
    ("auto", True, Dns01),
    ("auto", False, HttpAnswers),
    ("dns-01", True, Dns01),
    ("http-01", True, HttpAnswers),
    ("tls-alpn-01", True, AlpnAnswers),
]


@pytest.mark.parametrize("challenge, provider, kind", CHOICES)
def test_how_names_are_proven(challenge: str, provider: bool, kind: type, tmp_path: Path) -> None:
    given = Acme.model_validate({"challenge": challenge})
    assert type(solver_for(given, tmp_path, issuing.log()[0], PROVIDER if provider else None)) is kind


def test_dns_01_needs_somebody_who_holds_the_zone(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"acme\.challenge: dns-01 needs a provider"):
        solver_for(Acme.model_validate({"challenge": "dns-01"}), tmp_path, issuing.log()[0], None)


def test_a_private_authority_by_its_roots(
    pebble: Pebble, pki: Pki, clean_zone: DnsTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    plain = {"directory": pebble.url, "contact": issuing.CONTACT}
    log = issuing.log()[0]
    with pytest.raises(ForUser, match=r"its certificate is not trusted - set acme\.roots"):
        open_authority(Acme.model_validate(plain), tmp_path, log).account_uri  # noqa: B018 (asking registers)
    with pytest.raises(ForUser, match="the roots are not there"):
        open_authority(Acme.model_validate(plain | {"roots": "/nowhere.pem"}), tmp_path, log).account_uri  # noqa: B018
    given = Acme.model_validate(plain | {"roots": str(pki.ca)})
    solver = solver_for(given, tmp_path, log, issuing.knot(clean_zone))
    authority = open_authority(given, tmp_path, log)
    assert authority.issue(issuing.wish("mx1.example.org"), solver)
    authority.close()


# dns-persist-01


class Counting(HttpAnswers):
    """Shows nothing that pebble would look at: it validates everything here. shown: how often it was asked to."""

    kind = "dns-01"  # type: ignore[assignment]
    shown = 0

    def show(self, challenges: Any) -> None:
        self.shown += 1


@pytest.fixture
def persistent(front: Ari, pebble: Pebble) -> Iterator[Ari]:
    """An authority that offers dns-persist-01 beside the others."""

    def offer(path: str, body: dict[str, Any]) -> dict[str, Any]:
        if not path.startswith("/authZ/"):
            return body
        other = next(one for one in body["challenges"] if one["type"] == "dns-01")
        more = {"type": lasting.KIND, "url": other["url"], "status": "pending", "issuer-domain-names": ["lab.example"]}
        return body | {"challenges": [*body["challenges"], more]}

    pebble.restart(PEBBLE_VA_ALWAYS_VALID=1)
    front.meddle = offer
    yield front
    pebble.restart()


def test_validations_that_last(persistent: Ari, clean_zone: DnsTree, tmp_path: Path) -> None:
    given = {"directory": persistent.url, "contact": issuing.CONTACT}
    log = issuing.log()[0]
    authority = open_authority(Acme.model_validate(given | {"persist": True}), tmp_path, log)
    wish = issuing.wish("example.org", "*.example.org")
    text = str(Issuer.persistent("lab.example", authority.account_uri))
    for texts, shown in (((), 1), ((text,), 1), ((text + "; policy=wildcard",), 0)):
        clean_zone.replace("_validation-persist.example.org", "TXT", *(f'"{one}"' for one in texts))
        solver = Counting(tmp_path)
        assert authority.issue(wish, solver)
        assert solver.shown == shown
    solver = Counting(tmp_path)
    open_authority(Acme.model_validate(given), tmp_path, log).issue(wish, solver)
    assert solver.shown == 1, "only where the configuration says so"
    clean_zone.replace("_validation-persist.example.org", "TXT")
