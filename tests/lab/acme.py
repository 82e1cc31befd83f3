"""Pebble, a real ACME server (RFC 8555) that validates through the lab's resolver, and one way to get a certificate.

    with Pebble(directory, pki) as pebble:
        chain = Account(pebble).issue(key, ["mx1.example.org"], tree.replace)

The key is handed in: what is issued may be for a key that was announced in DNS long before.
Fails by: `Unavailable` without pebble; `acme.errors.Error` when an order fails.
"""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from tests.lab.network import ACME, RESOLVER, Unavailable, needs
from tests.lab.pki import Credentials, Pki, key_pem, new_key
from tests.lab.program import Program, listening

DIRECTORY_URL, ROOT_URL = f"https://{ACME}:14000/dir", f"https://{ACME}:15000/roots/0"
PATIENCE = timedelta(seconds=30)
Publish = Callable[..., None]  # (name, "TXT", *texts): the RRset shall be these; returns when they are seen


CONF: dict[str, Any] = {
    "listenAddress": f"{ACME}:14000",
    "managementListenAddress": f"{ACME}:15000",
    "httpPort": 80,
    "tlsPort": 443,
    "ocspResponderURL": "",
    "externalAccountBindingRequired": False,
}


class Pebble:
    """The server. `life` of its certificates: 90 days unless given; `nonce_reject`: percent of good nonces refused.

    more: further configuration (`externalAccountBindingRequired`), or environment when it is in capitals (`PEBBLE_CHAIN_LENGTH`).
    """

    def __init__(self, directory: Path, pki: Pki, life: timedelta = timedelta(days=90), nonce_reject: int = 0) -> None:
        self.directory, self.pki = directory, pki
        self.program = self._program(life, nonce_reject, {})

    url = DIRECTORY_URL

    def start(self) -> Self:
        if missing := needs("pebble"):
            raise Unavailable(missing)
        self.program.start(lambda: listening(ACME, 14000) and listening(ACME, 15000))
        return self

    def stop(self) -> None:
        self.program.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def restart(self, life: timedelta = timedelta(days=90), nonce_reject: int = 0, **more: Any) -> None:
        """Another server at the same address: no account and no root of before is known to it."""
        self.stop()
        self.program = self._program(life, nonce_reject, more)
        self.start()

    def root(self) -> bytes:
        """The root certificate that this run of pebble issues under, PEM."""
        context = ssl.create_default_context(cafile=str(self.pki.ca))
        with urllib.request.urlopen(ROOT_URL, context=context, timeout=10) as answer:
            return bytes(answer.read())

    def _program(self, life: timedelta, nonce_reject: int, more: dict[str, Any]) -> Program:
        chain, key = self.pki.api
        conf = CONF | {"certificate": str(chain), "privateKey": str(key)}
        conf |= {"certificateValidityPeriod": int(life.total_seconds())}
        conf |= {name: value for name, value in more.items() if not name.isupper()}
        file = self.directory / "pebble.json"
        file.write_text(json.dumps({"pebble": conf}))
        # By default pebble sleeps before it validates, and reuses half of the authorizations; told none it still
        # does so now and then (seen: a new order that is "ready" at once)
        env = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_WFE_NONCEREJECT": str(nonce_reject)}
        env |= {name: str(value) for name, value in more.items() if name.isupper()}
        command = ["pebble", "-config", str(file), "-dnsserver", f"{RESOLVER}:53", "-strict"]
        return Program("pebble", command, self.directory / "pebble.log", env)


class Account:
    """An account at the server, fresh."""

    def __init__(self, pebble: Pebble, contact: str = "user1@example.org") -> None:
        from acme import client, messages
        from josepy.jwa import ES256
        from josepy.jwk import JWKEC

        trusted: Any = str(pebble.pki.ca)  # the library passes it on to requests, which takes a file's name too
        network = client.ClientNetwork(JWKEC(key=new_key()), alg=ES256, verify_ssl=trusted, user_agent="mailsrv-lab")
        self._client = client.ClientV2(client.ClientV2.get_directory(pebble.url, network), network)
        self._client.new_account(messages.NewRegistration.from_data(email=contact, terms_of_service_agreed=True))

    def issue(self, key: EllipticCurvePrivateKey, names: Iterable[str], publish: Publish) -> Credentials:
        """One order by DNS-01; `publish` puts TXT records where the server looks for them."""
        order = self._client.new_order(signing_request(key, names))
        todo = self._challenges(order)
        try:
            for owner, challenges in todo.items():
                publish(owner, "TXT", *(f'"{text}"' for _, text in challenges))
            for challenges in todo.values():
                for challenge, _ in challenges:
                    self._client.answer_challenge(challenge, challenge.response(self._client.net.key))
            # the library compares with datetime.now(): naive on purpose
            done = self._client.poll_and_finalize(order, datetime.now() + PATIENCE)
        finally:
            for owner in todo:
                publish(owner, "TXT")
        return Credentials(key_pem(key), done.fullchain_pem.encode())

    def revoke(self, credentials: Credentials) -> None:
        self._client.revoke(x509.load_pem_x509_certificate(credentials.chain), 0)

    def _challenges(self, order: Any) -> dict[str, list[tuple[Any, str]]]:
        """Owner name -> challenges with what to publish; a name and its wildcard share one owner."""
        from acme import challenges, messages

        todo: dict[str, list[tuple[Any, str]]] = {}
        for authorization in order.authorizations:
            if authorization.body.status == messages.STATUS_VALID:
                continue
            offered = authorization.body.challenges
            challenge = next(one for one in offered if isinstance(one.chall, challenges.DNS01))
            text = challenge.chall.validation(self._client.net.key)
            todo.setdefault(f"_acme-challenge.{authorization.body.identifier.value}", []).append((challenge, text))
        return todo


def signing_request(key: EllipticCurvePrivateKey, names: Iterable[str]) -> bytes:
    """A CSR (RFC 2986), PEM."""
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
