"""TLS to the servers that a session is published to: whom we trust, and in words why we do not."""

import asyncio
import ssl
from pathlib import Path

from server.outputs.sink import SinkFailed


async def trusting(ca: Path | None) -> ssl.SSLContext:
    """A context that verifies certificates and names against the system's authorities and those in `ca` (PEM). Raises
    `SinkFailed` where that file cannot be used."""
    return await asyncio.to_thread(_context, ca)


def why_not(error: BaseException) -> str:
    """Why a connection could not be made: for a refused certificate what is wrong with it."""
    cause: BaseException | None = error
    while cause is not None:
        # aiohttp's error for a refused certificate is of this type too, but does not say what is wrong: its cause does
        words = getattr(cause, "verify_message", "") if isinstance(cause, ssl.SSLCertVerificationError) else ""
        if words:
            return f"the server's certificate is refused: {words.rstrip('.')}"
        cause = cause.__cause__ or cause.__context__
    return f"the server cannot be reached: {type(error).__name__}"


def _context(ca: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca is not None:
        try:
            context.load_verify_locations(cafile=ca)
        except OSError as error:  # ssl.SSLError is one: the file holds no certificate
            raise SinkFailed(f"output_ca cannot be used: {type(error).__name__}", final=True) from error
    return context
