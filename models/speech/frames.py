"""The framed protocol spoken over the pipes between Anima and a synthesis worker.

A frame is a 9-byte header followed by its payload, all integers little-endian::

    uint32 payload length | byte kind | uint32 job | payload

To the worker:

- `SPEAK`: a JSON object `{voice, rate, pitch, range, text, pause}`; one job is spoken at a time, in order of arrival.
  `text` may hold phonemes in the engine's own notation between double brackets.
- `CANCEL`: no payload; the job named in the header ends at its next buffer.

From the worker:

- `READY`: a JSON object `{sample_rate, version}`, once, after the library has been set up.
- `EVENTS`: a JSON list of `[kind, sample, position, length, symbol]`, `kind` being `"p"` (phoneme) or `"w"` (word),
  `sample` the sample of this job at which it starts, `position` a zero-based character offset into the job's text.
- `AUDIO`: mono int16 samples.
- `DONE`: no payload; the job has ended, spoken out or cancelled.
- `FAILED`: an error message; the job has ended.

Closing the worker's standard input ends the worker.
"""

import struct
from typing import Final

HEADER: Final = struct.Struct("<IcI")
MAX_PAYLOAD: Final = 1 << 20
"""A longer frame is a broken stream."""

SPEAK: Final = b"S"
CANCEL: Final = b"C"
READY: Final = b"R"
EVENTS: Final = b"E"
AUDIO: Final = b"A"
DONE: Final = b"D"
FAILED: Final = b"X"

PHONEME_EVENT: Final = "p"
WORD_EVENT: Final = "w"


def encode(kind: bytes, job: int, payload: bytes = b"") -> bytes:
    """One frame, ready to be written."""
    return HEADER.pack(len(payload), kind, job) + payload


def decode_header(header: bytes) -> tuple[int, bytes, int]:
    """`(payload length, kind, job)`; raises ValueError for a length no frame has."""
    length, kind, job = HEADER.unpack(header)
    if length > MAX_PAYLOAD:
        raise ValueError(f"a frame of {length} bytes is over the limit of {MAX_PAYLOAD}")
    return length, kind, job
