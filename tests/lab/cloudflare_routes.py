"""The verbs of Cloudflare's API v4 that the lab answers, and the paths they stand at. Nothing else is answered.

Each verb takes the store, the asker's grant and the request, and gives `result` and `result_info`.
Fails by: `Refusal`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.cloudflare_records import Entry, Json, Refusal, identifier, matches, timestamp
from tests.lab.cloudflare_store import Draft, Store

LARGEST_BATCH = 200  # operations, Free plan
# Default, least, most. The documentation says that 5 zones are the least, but certbot asks for 1 and gets it.
ZONES_PER_PAGE, RECORDS_PER_PAGE = (20, 1, 50), (100, 1, 5_000_000)
Answer = tuple[Any, Json | None]


@dataclass(frozen=True)
class Grant:
    """What a token may see and do."""

    zones: frozenset[str]
    write: bool = True
    status: str = "active"
    expires: str = ""


@dataclass(frozen=True)
class Request:
    """A request, and a line of the log."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str
    agent: str = ""


def answer(store: Store, grant: Grant, request: Request) -> Answer:
    """`result` and `result_info` of a request."""
    _, version, path = request.path.rstrip("/").partition("/client/v4")
    for pattern, verbs in ROUTES if version else ():
        if found := re.fullmatch(pattern, path):
            verb = verbs.get(request.method)
            if verb is None:
                raise Refusal(405, 7001, f"Method {request.method} not available for that URI.")
            return verb(store, grant, request, **_permitted(store, grant, request, found.groupdict()))
    raise _no_route(path or request.path)


def verify_token(_store: Store, grant: Grant, request: Request) -> Answer:
    told: Json = {"id": identifier(request.token), "status": grant.status}
    return told | ({"expires_on": grant.expires} if grant.expires else {}), None


def list_zones(_store: Store, grant: Grant, request: Request) -> Answer:
    names = sorted(grant.zones)
    if "name" in request.query:
        names = [name for name in names if _named(request.query["name"].lower(), name)]
    return _page([_zone_object(name) for name in names], request.query, ZONES_PER_PAGE)


def get_zone(_store: Store, _grant: Grant, _request: Request, zone: str) -> Answer:
    return _zone_object(zone), None


def list_records(store: Store, _grant: Grant, request: Request, zone: str) -> Answer:
    held = sorted(store.entries[zone].values(), key=lambda one: (one.name, one.type, one.content))
    fitting = [one.shown for one in held if matches(one.shown, request.query)]
    return _page(fitting, request.query, RECORDS_PER_PAGE)


def get_record(store: Store, _grant: Grant, _request: Request, zone: str, record: str) -> Answer:
    return store.draft(zone).get(record).shown, None


def create_record(store: Store, _grant: Grant, request: Request, zone: str) -> Answer:
    return store.change(zone, lambda draft: draft.add(request.body)).shown, None


def patch_record(store: Store, _grant: Grant, request: Request, zone: str, record: str) -> Answer:
    return store.change(zone, lambda draft: draft.change(record, request.body, patch=True)).shown, None


def put_record(store: Store, _grant: Grant, request: Request, zone: str, record: str) -> Answer:
    return store.change(zone, lambda draft: draft.change(record, request.body, patch=False)).shown, None


def delete_record(store: Store, _grant: Grant, _request: Request, zone: str, record: str) -> Answer:
    return {"id": store.change(zone, lambda draft: draft.remove(record)).id}, None


def batch(store: Store, _grant: Grant, request: Request, zone: str) -> Answer:
    """All or nothing, in the documented order: deletes, patches, puts, posts."""
    asked: dict[str, list[Json]] = {verb: (request.body or {}).get(verb) or [] for verb in BATCH}
    if sum(map(len, asked.values())) > LARGEST_BATCH:
        raise Refusal(400, 81042, "Too many operations in batch (200 on the Free plan).")  # (?)

    def work(draft: Draft) -> dict[str, list[Entry]]:
        return {verb: [BATCH[verb](draft, one) for one in asked[verb]] for verb in BATCH}

    done = store.change(zone, work)
    return {verb: [one.shown for one in changed] for verb, changed in done.items()}, None


BATCH: dict[str, Callable[[Draft, Json], Entry]] = {
    "deletes": lambda draft, one: draft.remove(one.get("id", "")),
    "patches": lambda draft, one: draft.change(one.get("id", ""), one, patch=True),
    "puts": lambda draft, one: draft.change(one.get("id", ""), one, patch=False),
    "posts": lambda draft, one: draft.add(one),
}

ROUTES: tuple[tuple[str, dict[str, Callable[..., Answer]]], ...] = (
    (r"/user/tokens/verify", {"GET": verify_token}),
    (r"/zones", {"GET": list_zones}),
    (r"/zones/(?P<zone>[^/]+)", {"GET": get_zone}),
    (r"/zones/(?P<zone>[^/]+)/dns_records", {"GET": list_records, "POST": create_record}),
    (r"/zones/(?P<zone>[^/]+)/dns_records/batch", {"POST": batch}),
    (
        r"/zones/(?P<zone>[^/]+)/dns_records/(?P<record>[^/]+)",
        {"GET": get_record, "PUT": put_record, "PATCH": patch_record, "DELETE": delete_record},
    ),
)

ZONE: Json = {
    "status": "active",
    "paused": False,
    "type": "full",
    "development_mode": 0,
    "original_name_servers": None,
    "original_registrar": None,
    "original_dnshost": None,
    "meta": {"step": 2, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": False},
    "owner": {"id": None, "type": "user", "email": None},
    "account": {"id": identifier("account"), "name": "Lab"},
    "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
    "plan": {"id": identifier("plan"), "name": "Free Website", "price": 0, "currency": "USD", "legacy_id": "free"},
    "tenant": {"id": None, "name": None},
    "tenant_unit": {"id": None},
}


def _permitted(store: Store, grant: Grant, request: Request, found: dict[str, str]) -> dict[str, str]:
    """The zone's name in place of its identifier, when the token may see it and do that."""
    if "zone" not in found:
        return found
    if not re.fullmatch("[0-9a-f]{32}", found["zone"]):
        raise _no_route(request.path)
    zone = store.names.get(found["zone"])
    if zone is None or zone not in grant.zones:
        raise Refusal(403, 9109, "Unauthorized to access requested resource")
    if request.method != "GET" and not grant.write:
        raise Refusal(403, 10000, "Authentication error")
    return found | {"zone": zone}


def _zone_object(zone: str) -> Json:
    named: Json = {"id": identifier(zone), "name": zone, "name_servers": [f"ns1.{zone}", f"ns2.{zone}"]}
    return ZONE | named | dict.fromkeys(("created_on", "modified_on", "activated_on"), timestamp())


def _page(items: list[Json], query: Mapping[str, str], limits: tuple[int, int, int]) -> Answer:
    """One page; beyond the last one an empty list, which the SDK asks for to know the end."""
    default, least, most = limits
    try:
        page, size = int(float(query.get("page", 1))), int(float(query.get("per_page", default)))
    except ValueError:
        raise Refusal(400, 9010, "page is invalid.") from None
    if page < 1 or not least <= size <= most:
        raise Refusal(400, 9010, "per_page is invalid.")
    shown = items[(page - 1) * size : page * size]
    total = {"total_count": len(items), "total_pages": -(-len(items) // size)}
    return shown, {"page": page, "per_page": size, "count": len(shown)} | total


def _named(wanted: str, name: str) -> bool:
    """The filter of "list zones": `example.org` or `OPERATOR:TEXT`."""
    operator, _, text = wanted.partition(":")
    return ZONE_FILTERS[operator](name, text) if operator in ZONE_FILTERS else name == wanted


ZONE_FILTERS: dict[str, Callable[[str, str], bool]] = {
    "equal": str.__eq__,
    "not_equal": str.__ne__,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
}


def _no_route(path: str) -> Refusal:
    chain = [{"code": 7000, "message": "No route for that URI"}]
    return Refusal(404, 7003, f"Could not route to {path}, perhaps your object identifier is invalid?", chain)
