"""aioice's reading of packets, made to stand whatever strangers send."""

import logging
import struct
from typing import Any

from aioice.ice import StunProtocol

_log = logging.getLogger(__name__)


class GuardedStunProtocol(StunProtocol):
    """Drops a datagram that looks like STUN and cannot be read: aioice lets struct.error and others through, before it
    knows who sent it."""

    malformed_packets = 0

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        """See `StunProtocol.datagram_received`."""
        try:
            super().datagram_received(data, addr)
        except (ValueError, IndexError, KeyError, AssertionError, struct.error) as error:
            self.malformed_packets += 1
            _log.debug("dropped a malformed STUN message: %r", error)
