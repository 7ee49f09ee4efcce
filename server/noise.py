"""Keeps what strangers send to the port from filling the log: a request that is no HTTP is no fault of the server's."""

import logging
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

LOGGER: Final = "aiohttp.server"
_THEIRS: Final = (HttpProcessingError, web.RequestPayloadError, ConnectionError)
"""Not HTTP, a body that is not packed as it says, a connection that broke off."""


class Noise(logging.Filter):
    """Makes errors of aiohttp's that are the peer's own a line at debug level, without a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, _THEIRS):
            return True
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        record.msg, record.args = f"{record.getMessage()}: %s", (type(error).__name__,)
        record.exc_info = record.exc_text = None
        return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)


def quieten() -> None:
    """Have aiohttp's server log so; doing it again changes nothing."""
    logger = logging.getLogger(LOGGER)
    if not any(isinstance(one, Noise) for one in logger.filters):
        logger.addFilter(Noise())
