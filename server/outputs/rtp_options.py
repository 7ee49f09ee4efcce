"""An RTP address's options: which port, payload type and codec each stream has. Named as Janus names them."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from realtime.core.errors import InvalidField
from server.media.codecs import VideoCodec
from server.outputs.codecs import codec_of

PORT_LEAST: Final = 1024
"""Below it services listen that answer strangers."""
_SOUND_OFFSET: Final = 2
"""RFC 3550 section 11: RTP has an even port and RTCP the next one."""
_DYNAMIC: Final = range(96, 128)
"""Payload types without a fixed meaning, RFC 3551 section 6."""
_NAMES: Final = ("audioport", "codec", "videopt", "audiopt")
_SRTP_KEY_BYTES: Final = 30
"""Master key and salt of AES_CM_128_HMAC_SHA1_80, RFC 4568 section 6.2."""


@dataclass(frozen=True, slots=True)
class RtpOptions:
    """Where each stream goes, and as what."""

    picture_port: int
    sound_port: int
    """0 sends no sound."""
    codec: VideoCodec
    picture_type: int
    sound_type: int


def rtp_options(url: str) -> RtpOptions:
    """Read `rtp://host:port?audioport=…&codec=…&videopt=…&audiopt=…`. Raises `InvalidField`."""
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.path.strip("/") or given.keys() - set(_NAMES):
        raise InvalidField("the address has parts that are not taken", field="url", limit=", ".join(_NAMES))
    picture_port = parts.port or 0
    sound_port = _number(given, "audioport", picture_port + _SOUND_OFFSET)
    ports = [picture_port] + ([sound_port] if sound_port else [])
    if not all(PORT_LEAST <= port < 1 << 16 for port in (*ports, *(port + 1 for port in ports))):
        limit = f"{PORT_LEAST} to 65534, RTCP is sent to the next one"
        raise InvalidField("RTP does not go to this port", field="url", limit=limit)
    if len(ports) == 2 and abs(picture_port - sound_port) < 2:
        raise InvalidField("sound and picture need ports two apart: RTCP has the next one", field="url")
    codec = codec_of("rtp", given.get("codec", "h264"), "url")
    types = _number(given, "videopt", 96), _number(given, "audiopt", 111)
    if not all(number in _DYNAMIC for number in types) or types[0] == types[1]:
        limit = f"videopt and audiopt, {_DYNAMIC.start} to {_DYNAMIC.stop - 1}, not the same"
        raise InvalidField("these are no payload types", field="url", limit=limit)
    return RtpOptions(picture_port, sound_port, codec, *types)


def srtp_key(secret: str) -> bytes | None:
    """The SRTP master key and salt, from base64 as SDES writes them; None sends in the clear. Raises `InvalidField`."""
    if not secret:
        return None
    try:
        key = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _SRTP_KEY_BYTES:
        limit = f"base64 of {_SRTP_KEY_BYTES} bytes (AES_CM_128_HMAC_SHA1_80)"
        raise InvalidField("the secret is no SRTP key", field="secret", limit=limit)
    return key


def _number(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 5):
        raise InvalidField(f"{name} is a whole number", field="url", limit=name)
    return int(text)
