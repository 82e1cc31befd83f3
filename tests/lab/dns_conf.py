"""Configuration texts of the lab's knot and unbound. Pure.

The primary signs by itself (NSEC3, or NSEC for nsec.org) and serves the broken zones as they are; whoever has the TSIG
key may update and transfer. The resolver answers with extended errors (RFC 8914) and keeps nothing unless told to.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.lab.network import LOCAL_RESOLVER, PRIMARY, PRIMARY6, RESOLVER, SECONDARY, SECONDARY6
from tests.lab.zones import BROKEN, NEGATIVE_TTL, SIGNED_BY_SERVER

TSIG_NAME, TSIG_SECRET, TSIG_ALGORITHM = "lab-key.", "bGFiLXNlY3JldC1sYWItc2VjcmV0LWxhYi1zZWNyZXQ=", "hmac-sha256"
TSIG_FILE = f'key "{TSIG_NAME}" {{ algorithm {TSIG_ALGORITHM}; secret "{TSIG_SECRET}"; }};\n'  # as BIND's tools read it


def primary(home: Path) -> str:
    every = "".join(_zone(name) for name in (*SIGNED_BY_SERVER, "unsigned.org", *BROKEN))
    listen = f"{PRIMARY}@53, {PRIMARY6}@53"
    return _server(home, listen) + PRIMARY_CONF.format(secondary=SECONDARY, zones=every, storage=home / "zones")


def secondary(home: Path) -> str:
    return _server(home, f"{SECONDARY}@53, {SECONDARY6}@53") + SECONDARY_CONF.format(
        primary=PRIMARY, storage=home / "zones"
    )


def unbound(home: Path, cache: int, reverse: Mapping[str, str]) -> str:
    """`cache`: the longest time in seconds that answers are kept. reverse: names of addresses, which no zone of the lab has."""
    interfaces = "".join(f"  interface: {address}@53\n" for address in (RESOLVER, LOCAL_RESOLVER))
    interfaces += "".join(f'  local-data-ptr: "{address} {name}."\n' for address, name in reverse.items())
    return UNBOUND_CONF.format(home=home, interfaces=interfaces, cache=cache, negative=min(cache, NEGATIVE_TTL))


def _server(home: Path, listen: str) -> str:
    key = {"key": TSIG_NAME, "algorithm": TSIG_ALGORITHM, "secret": TSIG_SECRET}
    return SERVER_CONF.format(home=home, listen=listen, **key)


def _zone(name: str) -> str:
    template = "signed" if name in SIGNED_BY_SERVER else "static"
    lines = f"  - domain: {name}.\n    file: {name or 'root'}.zone\n    template: {template}\n"
    if template == "signed":
        lines += f"    dnssec-policy: {'nsec' if name == 'nsec.org' else 'nsec3'}\n"
    return lines + ("    notify: secondary\n" if name == "example.org" else "")


SERVER_CONF = """server:
  rundir: {home}/run
  user: root:root
  listen: [ {listen} ]
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stdout
    any: info
database:
  storage: {home}/db
  journal-db-max-size: 32M
  kasp-db-max-size: 32M
  timer-db-max-size: 4M
key:
  - id: {key}
    algorithm: {algorithm}
    secret: {secret}
"""
PRIMARY_CONF = """remote:
  - id: secondary
    address: {secondary}@53
    key: lab-key.
acl:
  - id: lab
    key: lab-key.
    action: [ update, transfer ]
policy:
  - id: nsec
    algorithm: ecdsap256sha256
    single-type-signing: on
  - id: nsec3
    algorithm: ecdsap256sha256
    single-type-signing: on
    nsec3: on
    nsec3-iterations: 0
    nsec3-salt-length: 0
template:
  - id: default
    storage: {storage}
    acl: lab
  - id: signed
    storage: {storage}
    acl: lab
    dnssec-signing: on
    zonefile-load: difference-no-serial
    zonefile-sync: -1
    journal-content: all
  - id: static
    storage: {storage}
    acl: lab
    journal-content: none
    zonefile-load: whole
zone:
{zones}"""
SECONDARY_CONF = """remote:
  - id: primary
    address: {primary}@53
    key: lab-key.
acl:
  - id: notify
    key: lab-key.
    action: notify
  - id: lab
    key: lab-key.
    action: transfer
zone:
  - domain: example.org.
    storage: {storage}
    file: example.org.zone
    master: primary
    acl: [ notify, lab ]
    zonefile-sync: -1
    zonefile-load: none
    journal-content: all
"""
# No cache, or a small one; a name server that was silent is tried again within a second.
UNBOUND_CONF = """server:
  chroot: ""
  username: ""
  directory: "{home}"
  use-syslog: no
  logfile: ""
  log-time-ascii: yes
  verbosity: 1
  val-log-level: 2
{interfaces}  access-control: 0.0.0.0/0 allow
  root-hints: "{home}/hints"
  trust-anchor-file: "{home}/anchor.ds"
  do-not-query-localhost: no
  ede: yes
  cache-max-ttl: {cache}
  cache-max-negative-ttl: {negative}
  val-bogus-ttl: 1
  infra-host-ttl: 1
  num-threads: 1
  so-rcvbuf: 0
  minimal-responses: yes
remote-control:
  control-enable: no
"""
