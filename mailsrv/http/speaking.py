"""How uvicorn speaks HTTP/1.1 for us: the same for the web's listeners and for management. Touches nothing by itself.

    uvicorn.Server(speaking(application, HEAD, KEPT_ALIVE, limit_concurrency=100))

Standard: RFC 9112. No WebSocket, no lifespan, no log of its own, and no word of which program it is.
Limits: head, the octets of a request's head; kept_alive, seconds. Fails by: nothing.
"""

from __future__ import annotations

from typing import Any

import uvicorn
import uvicorn.lifespan.off
from uvicorn.protocols.http.h11_impl import H11Protocol


def speaking(application: Any, head: int, kept_alive: int, **more: Any) -> uvicorn.Config:
    """more: what else uvicorn may be told."""
    return uvicorn.Config(
        application,
        interface="asgi3",
        http=H11Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=kept_alive,
        h11_max_incomplete_event_size=head,
        **more,
    )
