"""The data channel's language: RTVI 2.1 messages as values, in both directions. `docs/protocol.md` has the table.

message = parse(text)                    # ClientMessage, or a RequestError that names the field
reply = error_response(id_of(text), error)
for line in Encoder().encode(event): ... # realtime.core.events -> JSON texts
"""

from realtime.core.wire_envelope import (
    LABEL,
    MAX_MESSAGE_BYTES,
    PROTOCOL_VERSION,
    Envelope,
    id_of,
    read_envelope,
)
from realtime.core.wire_frames import FramesShown
from realtime.core.wire_inbound import (
    Camera,
    ClientMessage,
    ClientReady,
    CommentText,
    Cue,
    DisconnectBot,
    Interrupt,
    Ping,
    SayText,
    SendText,
    Stats,
    TrackStatus,
    parse,
)
from realtime.core.wire_outbound import Encoder, bot_ready, error_response, farewell, permitted, server_response

__all__ = [
    "LABEL", "MAX_MESSAGE_BYTES", "PROTOCOL_VERSION", "Camera", "ClientMessage", "ClientReady", "CommentText", "Cue",
    "DisconnectBot", "Encoder",
    "Envelope", "FramesShown", "Interrupt", "Ping", "SayText", "SendText", "Stats", "TrackStatus", "bot_ready",
    "error_response", "farewell", "id_of", "parse", "permitted", "read_envelope", "server_response",
]  # fmt: skip
