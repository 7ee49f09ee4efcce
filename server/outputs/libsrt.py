"""The SRT library of the system, as far as a sender needs it (its API is that of srt.h, version 1.4 and later).

PyAV's wheel has no SRT. Calls release Python's lock, so they belong on a thread."""

import atexit
import ctypes
import ctypes.util
import ipaddress
import socket
import struct
from functools import cache
from typing import Final

MESSAGE_BYTES: Final = 1316
"""Seven MPEG-TS packets: what a live receiver expects of one message."""
_NAMES: Final = ("srt-gnutls", "srt-openssl", "srt")
_SEND_TIMEOUT, _LATENCY, _PASSPHRASE, _KEY_BYTES, _CONNECT_TIMEOUT, _STREAM_ID = 13, 23, 26, 27, 36, 46
_ERROR: Final = -1


class SrtError(OSError):
    """The library refused; its reason holds no secret."""


class SrtSocket:
    """One connection to a listener in live mode. Blocks; not thread-safe."""

    def __init__(self, options: dict[str, str], timeout_s: float) -> None:
        """`options` as in an address: streamid, passphrase, pbkeylen (bytes), latency (ms). Raises `SrtError` where
        the library is missing or refuses a value."""
        self._library = _library()
        self._socket = int(self._library.srt_create_socket())
        timeout_ms = int(1000 * timeout_s)
        try:
            self._set(_CONNECT_TIMEOUT, timeout_ms)
            self._set(_SEND_TIMEOUT, timeout_ms)
            for name, option in (("latency", _LATENCY), ("pbkeylen", _KEY_BYTES)):
                if name in options:
                    self._set(option, int(options[name]))
            for name, option in (("passphrase", _PASSPHRASE), ("streamid", _STREAM_ID)):
                if options.get(name):
                    self._set(option, options[name].encode())
        except BaseException:
            self.close()
            raise

    def connect(self, address: str, port: int) -> None:
        """Connect to an IP address. Raises `SrtError`."""
        where = _socket_address(address, port)
        self._check(self._library.srt_connect(self._socket, where, len(where)))

    def send(self, message: bytes) -> None:
        """Send up to `MESSAGE_BYTES`; waits while the buffer is full. Raises `SrtError`."""
        self._check(self._library.srt_send(self._socket, message, len(message)))

    @property
    def unacknowledged_bytes(self) -> int:
        """What the other side has not confirmed yet; 0 too when the connection is gone."""
        size = ctypes.c_size_t()
        blocks = self._library.srt_getsndbuffer(self._socket, None, ctypes.byref(size))
        return size.value if blocks > 0 else 0

    def close(self) -> None:
        """Leave at once; safe to call twice."""
        if self._socket != _ERROR:
            self._library.srt_close(self._socket)
            self._socket = _ERROR

    def _set(self, option: int, value: int | bytes) -> None:
        data = value if isinstance(value, bytes) else struct.pack("=i", value)
        self._check(self._library.srt_setsockflag(self._socket, option, data, len(data)))

    def _check(self, result: int) -> None:
        if result == _ERROR:
            raise SrtError(self._library.srt_getlasterror_str().decode("ascii", "replace"))


def available() -> bool:
    """Whether the library is there."""
    return any(ctypes.util.find_library(name) for name in _NAMES)


@cache
def _library() -> ctypes.CDLL:
    found = next((path for name in _NAMES if (path := ctypes.util.find_library(name))), None)
    if found is None:
        raise SrtError("the SRT library is not installed (Debian: libsrt1.5-gnutls)")
    library = ctypes.CDLL(found)
    library.srt_getlasterror_str.restype = ctypes.c_char_p
    if library.srt_startup() == _ERROR:
        raise SrtError("the SRT library does not start")
    atexit.register(library.srt_cleanup)
    return library


def _socket_address(address: str, port: int) -> bytes:
    """A `sockaddr_in` or `sockaddr_in6`."""
    ip = ipaddress.ip_address(address)
    if ip.version == 4:
        return struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + ip.packed + bytes(8)
    return struct.pack("=H", socket.AF_INET6) + struct.pack(">HI", port, 0) + ip.packed + bytes(4)
