"""Uploaded sound files as PCM, within limits; FFmpeg sees only the formats named here and no other file or address."""

import io
from itertools import chain
from typing import Final

import av
import numpy as np

from realtime.core.errors import InvalidField, Malformed, TooLarge
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import Pcm

FORMATS: Final = ("wav", "mp3", "ogg", "flac", "aac", "mov", "matroska")
LONGEST_S: Final = 300.0
SLOWEST_HZ: Final = 4000
FASTEST_HZ: Final = 192_000


def decode(content: bytes, longest_s: float = LONGEST_S) -> Pcm:
    """The first audio stream as mono PCM at 48 kHz. Raises `Malformed`, `InvalidField` or `TooLarge`, field `file`.

    Blocks for about a hundredth of the sound's duration: call it in a thread."""
    options = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "none"}
    pieces: list[Pcm] = []
    samples = 0
    try:
        with av.open(io.BytesIO(content), "r", options=options, metadata_errors="ignore") as file:
            if not file.streams.audio:
                raise InvalidField("the file holds no sound", field="file", limit=", ".join(FORMATS))
            codec = file.streams.audio[0].codec_context
            # PyAV gives none for a codec it does not know, against its own annotations
            rate_hz = 0 if codec is None else codec.sample_rate
            if not SLOWEST_HZ <= rate_hz <= FASTEST_HZ:
                # a few bytes at 1 Hz would become minutes of sound
                limit = f"{SLOWEST_HZ} to {FASTEST_HZ} Hz"
                raise InvalidField(f"the file's sound has {rate_hz} samples a second", field="file", limit=limit)
            resampler = av.AudioResampler(format="s16", layout="mono", rate=AUDIO_RATE_HZ)
            for frame in chain(file.decode(file.streams.audio[0]), (None,)):
                for out in resampler.resample(frame):
                    piece = np.asarray(out.to_ndarray()[0], np.int16)
                    pieces.append(piece)
                    samples += len(piece)
                if samples > longest_s * AUDIO_RATE_HZ:
                    raise TooLarge("the recording is too long", field="file", limit=f"{longest_s:g} s")
    except (av.FFmpegError, ValueError, UnicodeDecodeError) as error:
        raise Malformed("the file cannot be read as sound", field="file", limit=", ".join(FORMATS)) from error
    if not samples:
        raise InvalidField("the file holds no sound", field="file", limit=", ".join(FORMATS))
    return np.concatenate(pieces)
