"""One document by HTTP from a server that the user named: bounded, without following where it points.

Standards: RFC 9110. Limits: LARGEST octets, the seconds given for each step. Fails by: OSError when it is silent, ValueError when
its answer is none or not 200. It blocks: call it in a thread.
"""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

LARGEST = 1 << 20


def fetch(url: str, seconds: float) -> bytes:
    """The body."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request("GET", parts.path, headers={"Accept": "application/json", "User-Agent": "mailsrv"})
        response = connection.getresponse()
        body = response.read(LARGEST + 1)
    except http.client.HTTPException as error:
        raise ValueError(f"not an HTTP answer ({type(error).__name__})") from None
    finally:
        connection.close()
    if response.status != 200:
        raise ValueError(f"it answers {response.status}")
    if len(body) > LARGEST:
        raise ValueError(f"more than {LARGEST} octets")
    return body
