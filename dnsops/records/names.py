"""Domain names in one spelling: A-labels, lower case, no final dot.

Standards: RFC 1035 2.3 (length), RFC 4343 (case), RFC 5891 with the UTS 46 mapping (IDN), RFC 6698 3 (TLSA owner).
Fails by: `ForUser`, naming the name and the rule it breaks.
"""

from __future__ import annotations

from functools import lru_cache

from dnsops.base.errors import ForUser

LONGEST_NAME = 253  # RFC 1035 2.3.4, as text without the final dot
LONGEST_LABEL = 63
LONGEST_KEPT, MOST_KEPT = 254, 4096  # spellings whose name is kept
_LDH = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def canonical(text: str, where: str = "") -> str:
    """`MX1.Bücher.example.` -> `mx1.xn--bcher-kva.example`. The root is the empty string."""
    return _kept(text, where) if len(text) <= LONGEST_KEPT else _canonical(text, where)


@lru_cache(MOST_KEPT)
def _kept(text: str, where: str) -> str:
    """The same few names are read again and again: a message has six."""
    return _canonical(text, where)


def _canonical(text: str, where: str) -> str:
    name = text.strip()
    if name == ".":
        return ""
    name = name.removesuffix(".")
    name = name.lower() if name.isascii() else _a_labels(name, where)
    if not name:
        raise ForUser("an empty name", where, "write a host name such as mx1.example.org")
    if len(name) > LONGEST_NAME:
        raise ForUser(f"{name[:40]}...: longer than {LONGEST_NAME} characters", where)
    for position, label in enumerate(name.split(".")):
        _check_label(name, label, position, where)
    return name


def asked(text: str) -> str:
    """A name as the DNS may be asked for it: `canonical`, or any printable ASCII in its labels (RFC 2181 11).

    Nobody should give a machine such a name, but SPF's macros make them: `exists:%{l}.example.org`. A backslash is refused,
    because the text form of names means something else by it (RFC 1035 5.1).
    """
    name = text.lower().removesuffix(".")
    plain = name.isascii() and name.isprintable() and "\\" not in name
    labels = name.split(".")
    if plain and len(name) <= LONGEST_NAME and all(0 < len(label) <= LONGEST_LABEL for label in labels):
        return name
    return canonical(text)


def host(text: str, where: str = "") -> str:
    """A name that a machine may have (RFC 952, RFC 1123 2.1): letters, digits, hyphens."""
    name = canonical(text, where)
    if "." not in name:
        raise ForUser(f"{text.strip()!r} is not a full host name", where, "write it with its domain: mx1.example.org")
    if "_" in name or "*" in name:
        raise ForUser(f"{name}: a host name has only letters, digits and hyphens", where)
    if name.rpartition(".")[2].isdigit():
        raise ForUser(f"{name} is an address, not a name", where, "TLSA records stand at the host's name")
    return name


def under(name: str, zone: str) -> bool:
    """Whether `name` is `zone` or below it, at a label's border. Both canonical."""
    return zone == "" or name == zone or name.endswith("." + zone)


def tlsa_owner(host_name: str, port: int, protocol: str = "tcp") -> str:
    """The owner name of the TLSA RRset for a port of a host (RFC 6698 3)."""
    if not 1 <= port <= 65535:
        raise ForUser(f"port {port} does not exist", host_name, "write a number from 1 to 65535")
    return canonical(f"_{port}._{protocol}.{host_name}")


def longest_suffix(name: str, zones: list[str]) -> str | None:
    """The closest enclosing zone among `zones`, or None."""
    fitting = [zone for zone in zones if under(name, zone)]
    return max(fitting, key=len) if fitting else None


def _a_labels(name: str, where: str) -> str:
    import idna  # only for names that need it: 15 ms

    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise ForUser(f"{name}: not a valid internationalised name ({error})", where) from None


def _check_label(name: str, label: str, position: int, where: str) -> None:
    if not label:
        raise ForUser(f"{name}: two dots in a row", where)
    if len(label) > LONGEST_LABEL:
        raise ForUser(f"{name}: the label {label[:20]}... is longer than {LONGEST_LABEL} characters", where)
    if label == "*" and position == 0:
        return
    if not _LDH.issuperset(label):
        odd = next(c for c in label if c not in _LDH)
        raise ForUser(f"{name}: {odd!r} does not belong into a name", where)
