"""The five calls to Cloudflare's API that we make, through its official SDK. The only file that knows the SDK.

The SDK costs 0.6 s to import, so that happens with the first call. It repeats nothing itself (it would repeat a create):
who calls decides. Trust: SSL_CERT_FILE when set, else certifi's list (httpx). Its loggers are silenced.
Fails by: `Refusal` for everything that is no success; `Misconfigured` for a token or URL that must not be used.
Limits: LARGEST_ANSWER bytes and LONGEST_ANSWER seconds an answer.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from dnsops.base.errors import Misconfigured
from dnsops.base.secrets import Secret
from dnsops.providers.cloudflare_errors import refusal, unsure
from dnsops.providers.cloudflare_form import Json

BASE_URL = "https://api.cloudflare.com/client/v4"
LARGEST_ANSWER = 32 << 20
LONGEST_ANSWER = 60.0
TIMEOUT, CONNECT_TIMEOUT = 20.0, 10.0
LOGGERS = ("cloudflare", "httpx", "httpcore")
ZONES_A_PAGE, RECORDS_A_PAGE = 50, 5000  # of records the API gives up to 5 000 000, and we read LARGEST_ANSWER


class Calls:
    """A token and the address of the API. Threads may share one."""

    def __init__(
        self, token: Secret, base_url: str | None = None, timeout: float = TIMEOUT, largest: int = LARGEST_ANSWER
    ) -> None:
        self._token, self._timeout, self._largest = token, timeout, largest
        self._base_url = base_url or os.environ.get("CLOUDFLARE_BASE_URL") or BASE_URL
        _check_token(token)
        _check_url(self._base_url)
        self._lock = Lock()
        self._client: Any = None

    def verify(self) -> Json:
        """What the token says of itself: status, and when it expires."""
        tokens = self._sdk().user.tokens.with_raw_response
        return self._ask(lambda: tokens.verify())

    def zones(self, page: int) -> Json:
        """One page of the zones that the token sees."""
        zones = self._sdk().zones.with_raw_response
        return self._ask(lambda: zones.list(page=page, per_page=ZONES_A_PAGE))

    def records(self, zone: str, page: int, filters: Mapping[str, object]) -> Json:
        """One page of a zone's records. filters: `type`, `name` as the SDK wants them."""
        records = self._sdk().dns.records.with_raw_response
        return self._ask(lambda: records.list(zone_id=zone, page=page, per_page=RECORDS_A_PAGE, **filters))

    def batch(self, zone: str, operations: Mapping[str, Sequence[Json]]) -> None:
        """Several operations as one transaction. operations: `deletes`, `patches`, `posts`."""
        records = self._sdk().dns.records.with_raw_response
        self._ask(lambda: records.batch(zone_id=zone, **operations))

    def _ask(self, call: Callable[[], Any]) -> Json:
        """The JSON of a success; everything else is a `Refusal`."""
        import cloudflare

        try:
            answer = call().http_response
        except cloudflare.APIStatusError as error:
            raise refusal(error.status_code, error.response.headers, self._cleaned(error.body)) from None
        except cloudflare.APITimeoutError:
            raise unsure("Cloudflare did not answer in time") from None
        except cloudflare.CloudflareError as error:
            cause = str(error.__cause__ or error)
            raise unsure(f"no connection to Cloudflare ({self._cleaned(cause)})") from None
        body = _json(answer.content)
        if body is None:
            raise unsure("Cloudflare's answer is no JSON")
        if body.get("success") is not True:
            raise refusal(answer.status_code, answer.headers, self._cleaned(body))
        return body

    def _cleaned(self, body: object) -> Any:
        """An answer that repeats the token does not bring it into our messages."""
        text = json.dumps(body, default=str)
        return json.loads(text.replace(self._token.reveal(), "<secret>"))

    def _sdk(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _client(self._token, self._base_url, self._timeout, self._largest)
        return self._client


def _client(token: Secret, base_url: str, timeout: float, largest: int) -> Any:
    import cloudflare
    import httpx

    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    http = cloudflare.DefaultHttpxClient(
        base_url=base_url,
        timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)),
        headers={"Accept-Encoding": "identity"},  # so that the limit counts what we get
        event_hooks={"response": [partial(_limit, largest=largest)]},
        follow_redirects=False,
    )
    client = cloudflare.Cloudflare(api_token=token.reveal(), base_url=base_url, http_client=http, max_retries=0)
    client.api_key = client.api_email = client.user_service_key = None  # what the environment holds is not ours to send
    return client


def _limit(response: Any, largest: int) -> None:
    """httpx hands the response over before its body: from here on somebody counts."""
    import httpx

    class Counted(httpx.SyncByteStream):
        def __init__(self, stream: httpx.SyncByteStream) -> None:
            self._stream, self._end = stream, time.monotonic() + LONGEST_ANSWER

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for chunk in self._stream:
                size += len(chunk)
                if size > largest or time.monotonic() > self._end:
                    raise httpx.ReadError("the answer is too large or too slow")
                yield chunk

        def close(self) -> None:
            self._stream.close()

    response.stream = Counted(response.stream)


def _json(data: bytes) -> Json | None:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _check_token(token: Secret) -> None:
    if not re.fullmatch(r"[!-~]{1,1024}", token.reveal()):
        raise Misconfigured(
            "the Cloudflare token is empty or holds characters that no token has",
            "",
            "copy it again from dash.cloudflare.com/profile/api-tokens",
        )


def _check_url(url: str) -> None:
    """The token travels in a header: over TLS, or not beyond this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname or "")):
        return
    raise Misconfigured(
        "the token would travel in the clear", f"CLOUDFLARE_BASE_URL: {url[:80]}", "write an https:// address"
    )


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
