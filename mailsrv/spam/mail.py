"""What an adviser may know of a message: its envelope, who brought it, its octets. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Mail(NamedTuple):
    """client: the peer's IP address.  hostname: its proven name, or "".  sender: "" for the null sender.  account: who logged in.

    domain: of From, when it is known; what lists of domains are asked about beside the sender's and HELO's.
    """

    client: str
    helo: str = ""
    hostname: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()
    account: str = ""
    id: str = ""
    domain: str = ""
    content: bytes = b""
