"""The emulator's own promises, through the official SDK over plain HTTP; no name servers needed."""

import json
import urllib.request

import cloudflare
import pytest

from tests.lab.cloudflare_api import CloudflareApi, many_zones
from tests.lab.cloudflare_store import NoBackend

TLSA = {"type": "TLSA", "name": "_25._tcp.mx1.example.org", "ttl": 60}
DATA = {"usage": 3, "selector": 1, "matching_type": 1, "certificate": "ab" * 32}


class Recorder(NoBackend):
    """A backend that remembers what it was told: {(name, type): (ttl, texts)} per transaction."""

    def __init__(self):
        self.told = []

    def write(self, zone, changed):
        self.told.append(
            {key: data and (data.ttl, {one.to_text(chunksize=0) for one in data}) for key, data in changed.items()}
        )


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def api(recorder):
    with CloudflareApi(many_zones(), recorder) as service:
        yield service


@pytest.fixture
def sdk(api):
    return cloudflare.Cloudflare(api_token=api.token, base_url=api.url, max_retries=0)


@pytest.fixture
def zone(sdk):
    return next(iter(sdk.zones.list(name="example.org"))).id


def codes(error):
    return [one.code for one in error.value.errors]


def test_sixty_zones_come_in_pages_and_differ_at_the_label(api, sdk):
    assert len(list(sdk.zones.list())) == 60
    assert len([line for line in api.log if line.path.endswith("/zones")]) == 4  # 20 each, and the empty one
    assert {zone.name for zone in sdk.zones.list(name="ends_with:example.org")} == {"example.org", "notexample.org"}
    first = [zone.name for zone in sdk.zones.list(per_page=20).result]
    assert not {"example.org", "notexample.org"} & set(first)


@pytest.mark.parametrize("per_page,pages", [(2, 3), (5, 1), (100, 1)])
def test_records_come_in_pages(api, sdk, zone, per_page, pages):
    for number in range(5):
        api.edit("example.org", "A", f"h{number}", content="192.0.2.1")
    api.log.clear()
    assert len(list(sdk.dns.records.list(zone_id=zone, per_page=per_page))) == 5
    assert len(api.log) == pages + 1


@pytest.mark.parametrize(
    "record,status,code,chain",
    [
        ({"type": "A", "name": "x", "ttl": 30, "content": "192.0.2.9"}, 400, 9021, None),
        ({"type": "A", "name": "x", "content": "nope"}, 400, 1004, 9005),
        ({"type": "AAAA", "name": "x", "content": "192.0.2.9"}, 400, 1004, 9005),
        ({"type": "MX", "name": "x", "content": "mx1.example.org"}, 400, 1004, 9005),
        ({"type": "BAD", "name": "x", "content": "x"}, 400, 1004, 9004),
        ({"type": "A", "name": "", "content": "192.0.2.9"}, 400, 1004, 9000),
        ({"type": "CNAME", "name": "host", "content": "a.example.net"}, 400, 81053, None),
        ({"type": "A", "name": "host", "content": "192.0.2.1"}, 400, 81058, None),
        ({"type": "A", "name": "x", "content": "192.0.2.9", "comment": "c" * 101}, 400, 9207, None),
        ({"type": "A", "name": "x", "content": "192.0.2.9", "tags": ["a:b"]}, 400, 9300, None),
        ({"type": "MX", "name": "x", "content": "h", "priority": 1, "proxied": True}, 400, 9004, None),
        ({**TLSA, "data": DATA | {"certificate": "ab"}}, 400, 1004, 9005),
        ({**TLSA, "data": DATA | {"certificate": "no hex"}}, 400, 1004, 9005),
        ({**TLSA, "data": DATA | {"usage": 256}}, 400, 1004, 9005),
        ({**TLSA, "data": {"usage": 3}}, 400, 1004, 9005),
        (TLSA, 400, 1004, 9005),
    ],
)
def test_what_is_refused(api, sdk, zone, recorder, record, status, code, chain):
    api.edit("example.org", "A", "host", content="192.0.2.1")
    with pytest.raises(cloudflare.APIStatusError) as refused:
        sdk.dns.records.create(zone_id=zone, **{"ttl": 1, **record})
    error = refused.value.body["errors"][0]
    assert (refused.value.status_code, error["code"]) == (status, code)
    assert [one["code"] for one in error.get("error_chain", [])] == ([chain] if chain else [])
    assert len(recorder.told) == 1


@pytest.mark.parametrize(
    "record,content,served",
    [
        ({**TLSA, "data": DATA}, "3 1 1 " + "ab" * 32, "3 1 1 " + "ab" * 32),
        ({**TLSA, "data": DATA | {"certificate": "AB" * 32}}, "3 1 1 " + "ab" * 32, "3 1 1 " + "ab" * 32),
        ({"type": "TXT", "name": "t", "content": "a b"}, "a b", '"a b"'),
        ({"type": "TXT", "name": "t", "content": '"a" "b"'}, '"a" "b"', '"a" "b"'),
        ({"type": "TXT", "name": "t", "content": "x" * 300}, "x" * 300, '"' + "x" * 255 + '" "' + "x" * 45 + '"'),
        ({"type": "TXT", "name": "t", "content": 'say "hi" \\ bye'}, 'say "hi" \\ bye', '"say \\"hi\\" \\\\ bye"'),
        (
            {"type": "MX", "name": "@", "content": "mx1.example.org.", "priority": 10},
            "mx1.example.org",
            "10 mx1.example.org.",
        ),
        ({"type": "CNAME", "name": "c", "content": "a.example.net"}, "a.example.net", "a.example.net."),
        (
            {"type": "CAA", "name": "@", "data": {"flags": 0, "tag": "issue", "value": "ca.example.net"}},
            '0 issue "ca.example.net"',
            '0 issue "ca.example.net"',
        ),
        (
            {
                "type": "SRV",
                "name": "_imaps._tcp",
                "data": {"priority": 0, "weight": 1, "port": 993, "target": "mx1.example.org"},
            },
            "1 993 mx1.example.org",
            "0 1 993 mx1.example.org.",
        ),
    ],
)
def test_what_is_accepted_and_how_it_is_shown_and_served(sdk, zone, recorder, record, content, served):
    created = sdk.dns.records.create(zone_id=zone, **{"ttl": 1, **record})
    assert created.content == content
    assert sdk.dns.records.get(created.id, zone_id=zone).to_dict() == created.to_dict()
    [[(_, texts)]] = [told.values() for told in recorder.told]
    assert texts == {served}


def test_patch_keeps_and_put_forgets(sdk, zone):
    record = sdk.dns.records.create(zone_id=zone, **TLSA, data=DATA, comment="ours")
    patched = sdk.dns.records.edit(record.id, zone_id=zone, **TLSA, data={"certificate": "cd" * 32})
    assert (patched.comment, patched.data.certificate, patched.data.usage) == ("ours", "cd" * 32, 3)
    put = sdk.dns.records.update(record.id, zone_id=zone, **TLSA, data=DATA)
    assert (put.comment, put.data.certificate) == (None, "ab" * 32)


def test_a_batch_is_one_transaction_or_none(api, sdk, zone, recorder):
    old = api.edit("example.org", "A", "old", content="192.0.2.1")
    post = {"type": "A", "name": "new", "content": "192.0.2.2", "ttl": 60}
    with pytest.raises(cloudflare.BadRequestError):
        sdk.dns.records.batch(zone_id=zone, deletes=[{"id": old.id}], posts=[post, post])
    assert [record.name for record in api.records("example.org")] == ["old.example.org"]
    recorder.told.clear()
    sdk.dns.records.batch(zone_id=zone, deletes=[{"id": old.id}], posts=[post])
    assert recorder.told == [{("old.example.org", "A"): None, ("new.example.org", "A"): (60, {"192.0.2.2"})}]
    with pytest.raises(cloudflare.BadRequestError) as refused:
        sdk.dns.records.batch(zone_id=zone, posts=[post] * 201)
    assert codes(refused) == [81042]


def test_an_rrset_is_served_with_one_ttl_and_automatic_is_five_minutes(api, recorder):
    api.edit("example.org", "A", "h", content="192.0.2.1", ttl=1)
    api.edit("example.org", "A", "h", content="192.0.2.2", ttl=60)
    assert [told[("h.example.org", "A")][0] for told in recorder.told] == [300, 60]


def test_the_ttl_knob_shortens_what_is_served_and_not_what_is_shown(api, sdk, zone, recorder):
    record = sdk.dns.records.create(zone_id=zone, **TLSA, data=DATA)
    api.ttl(divide=60)
    sdk.dns.records.create(zone_id=zone, type="A", name="h", content="192.0.2.1", ttl=86400)
    served = [told[key][0] for told in recorder.told for key in told]
    assert served == [60, 1, 1440]
    assert sdk.dns.records.get(record.id, zone_id=zone).ttl == 60


@pytest.mark.parametrize(
    "token,status,code",
    [("x" * 40, 403, 9109), ("short", 400, 6003), ("", 400, 6003)],
)
def test_tokens_that_are_none(api, token, status, code):
    request = urllib.request.Request(api.url + "/zones", headers={"Authorization": f"Bearer {token}"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert (refused.value.code, json.load(refused.value)["errors"][0]["code"]) == (status, code)


def test_a_token_sees_its_zones_and_no_others(api, sdk, zone):
    narrow = sdk.with_options(api_token=api.grant(["notexample.org"]))
    assert [one.name for one in narrow.zones.list()] == ["notexample.org"]
    with pytest.raises(cloudflare.PermissionDeniedError) as refused:
        list(narrow.dns.records.list(zone_id=zone))
    assert codes(refused) == [9109]


def test_a_token_that_may_only_read(api, sdk, zone):
    reader = sdk.with_options(api_token=api.read_only_token)
    assert list(reader.dns.records.list(zone_id=zone)) == []
    with pytest.raises(cloudflare.PermissionDeniedError) as refused:
        reader.dns.records.create(zone_id=zone, **TLSA, data=DATA)
    assert codes(refused) == [10000]


@pytest.mark.parametrize(
    "fault,error",
    [
        ({"status": 500}, cloudflare.InternalServerError),
        ({"status": 429, "headers": {"Retry-After": "300"}}, cloudflare.RateLimitError),
        ({"status": 502, "body": "<html>bad gateway</html>"}, cloudflare.InternalServerError),
        ({"hang": 0.1}, cloudflare.APIConnectionError),
        ({"method": "POST", "status": 409}, cloudflare.ConflictError),
        ({"path": "dns_records$", "status": 403, "code": 10000}, cloudflare.PermissionDeniedError),
    ],
)
def test_a_fault_is_given_once_and_nothing_is_carried_out(api, sdk, zone, fault, error):
    api.fail([fault])
    with pytest.raises(error) as failed:
        sdk.dns.records.create(zone_id=zone, **TLSA, data=DATA)
    if error is cloudflare.RateLimitError:
        assert failed.value.response.headers["Retry-After"] == "300"
    assert api.records("example.org") == []
    sdk.dns.records.create(zone_id=zone, **TLSA, data=DATA)


def test_a_fault_waits_for_the_request_that_it_fits(api, sdk, zone):
    api.fail([{"status": 500, "method": "POST", "skip": 1}])
    list(sdk.dns.records.list(zone_id=zone))
    sdk.dns.records.create(zone_id=zone, **TLSA, data=DATA)
    with pytest.raises(cloudflare.InternalServerError):
        sdk.dns.records.create(zone_id=zone, type="A", name="h", content="192.0.2.1", ttl=1)


def test_a_lost_answer_was_carried_out(api, sdk, zone):
    api.drop()
    with pytest.raises(cloudflare.APIConnectionError):
        sdk.dns.records.create(zone_id=zone, **TLSA, data=DATA)
    assert [record.type for record in api.records("example.org")] == ["TLSA"]
    with pytest.raises(cloudflare.BadRequestError) as refused:
        sdk.dns.records.create(zone_id=zone, **TLSA, data=DATA)
    assert codes(refused) == [81058]


def test_the_quota_and_its_headers(api, sdk, zone):
    api.rate(quota=2, window=60)
    answer = sdk.zones.with_raw_response.get(zone_id=zone)
    assert answer.headers["Ratelimit"] == '"default";r=1;t=60'
    assert answer.headers["Ratelimit-Policy"] == '"default";q=2;w=60'
    sdk.zones.get(zone_id=zone)
    with pytest.raises(cloudflare.RateLimitError) as refused:
        sdk.zones.get(zone_id=zone)
    assert 1 <= int(refused.value.response.headers["Retry-After"]) <= 61
    other = sdk.with_options(api_token=api.grant(["example.org"]))
    other.zones.get(zone_id=zone)


def test_the_knobs_turn_over_http_too(api, sdk, zone):
    def turn(knob, body):
        data = json.dumps(body).encode()
        with urllib.request.urlopen(api.url.replace("/client/v4", f"/_lab/{knob}"), data, timeout=10) as answer:
            return json.load(answer)

    turn("fail", [{"status": 500}])
    with pytest.raises(cloudflare.InternalServerError):
        sdk.zones.get(zone_id=zone)
    turn("drop", {"times": 1})
    with pytest.raises(cloudflare.APIConnectionError):
        sdk.dns.records.create(zone_id=zone, **TLSA, data=DATA)
    turn("rate", {"quota": 0, "window": 10})
    with pytest.raises(cloudflare.RateLimitError):
        sdk.zones.get(zone_id=zone)
    assert turn("log", {})["log"][-1][:2] == ["GET", f"/client/v4/zones/{zone}"]
    turn("reset", {})
    assert list(sdk.dns.records.list(zone_id=zone)) == []


@pytest.mark.parametrize(
    "method,path,status", [("GET", "/nothing", 404), ("GET", "/zones/x", 404), ("DELETE", "/zones", 405)]
)
def test_what_is_not_documented_here_is_not_answered(api, method, path, status):
    headers = {"Authorization": f"Bearer {api.token}"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(api.url + path, headers=headers, method=method), timeout=10)
    assert refused.value.code == status
