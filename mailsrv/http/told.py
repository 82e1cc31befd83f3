"""What uvicorn has to say becomes lines of our log; a request that makes no sense is not worth a traceback.

    told = Told(log); told.begin(); ...; told.end()

Several listeners of a process may each begin: the first one's log hears for all. Fails by: nothing.
"""

from __future__ import annotations

import logging

from h11 import LocalProtocolError

from dnsops.base.log import Log

UVICORN = "uvicorn.error"


class Told(logging.Handler):
    """For one listener."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def begin(self) -> None:
        logger = logging.getLogger(UVICORN)
        logger.propagate = False
        logger.addHandler(self)

    def end(self) -> None:
        logging.getLogger(UVICORN).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        heard = [handler for handler in logging.getLogger(UVICORN).handlers if isinstance(handler, Told)]
        if heard[:1] != [self]:
            return
        error = record.exc_info[1] if record.exc_info else None
        if error is None or isinstance(error, LocalProtocolError):
            self._log("http.refused", why=record.getMessage()[:100])
        else:
            self._log("http.bug", kind=type(error).__name__, what=record.getMessage()[:100])
