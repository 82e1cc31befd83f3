"""What was seen of a mail domain, as values with their evidence: `Facts`, and what it is made of."""

from checks.facts.beyond import Beyond, Fetched, Listing, Reverse
from checks.facts.domain import Facts, MailHost
from checks.facts.looked import Addresses, Evidence, Lookup, Question, Reached
from checks.facts.routing import Route, Routing, Validity
from checks.facts.tls import Hashes, Key, Order, Tls, Version

__all__ = [
    "Addresses",
    "Beyond",
    "Evidence",
    "Facts",
    "Fetched",
    "Hashes",
    "Key",
    "Listing",
    "Lookup",
    "MailHost",
    "Order",
    "Question",
    "Reached",
    "Reverse",
    "Route",
    "Routing",
    "Tls",
    "Validity",
    "Version",
]
