"""The lab: real servers in a private network namespace, for tests (fixtures in tests/conftest.py) and for plain scripts.

    tests/lab/enter.sh python -m pytest tests/lab
    tests/lab/enter.sh python SCRIPT, which says:
        with private_network() as directory, DnsTree(directory) as tree, Pki(directory) as pki, Pebble(directory, pki) as ca: ...

network: addresses, namespace · program: a process · zones, dns_conf, dnstree: knot, unbound · pki · acme: pebble
cloudflare_api (_http _routes _records _store): the API v4 · postfix: sender, receiver · mx: many light receivers
"""
