"""Uploaded sound: what is read, what is refused, and that nothing else is opened."""

import io
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.errors import InvalidField, Malformed, RequestError, TooLarge
from server.recordings import decode
from tests.server.rtc.rig import frequency_hz

RATE_HZ = 16_000


def sound_file(kind: str, codec: str, duration_s: float = 1.0, rate_hz: int = RATE_HZ) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format=kind) as file:
        stream = cast(av.AudioStream, file.add_stream(codec, rate=rate_hz))
        stream.layout = "stereo"
        at = np.arange(round(duration_s * rate_hz)) / rate_hz
        wave = np.repeat((9000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16), 2).reshape(1, -1)
        form = stream.codec_context.format.name
        resampler = av.AudioResampler(format=form, layout="stereo", rate=rate_hz, frame_size=1024)
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="stereo")
        frame.sample_rate = rate_hz
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return out.getvalue()


WAV = sound_file("wav", "pcm_s16le", 0.05)


@pytest.mark.parametrize(
    ("kind", "codec", "rate_hz"),
    [("wav", "pcm_s16le", 16_000), ("mp3", "libmp3lame", 44_100), ("ogg", "libopus", 48_000), ("flac", "flac", 22_050)],
)
def test_formats(kind: str, codec: str, rate_hz: int) -> None:
    pcm = decode(sound_file(kind, codec, rate_hz=rate_hz))
    assert pcm.dtype == np.int16 and pcm.ndim == 1 and abs(len(pcm) / 48_000 - 1.0) < 0.12
    assert abs(frequency_hz(pcm[8000:40_000]) - 440) < 5


def test_limits() -> None:
    with pytest.raises(TooLarge) as caught:
        decode(sound_file("wav", "pcm_s16le", 2.0), longest_s=1.0)
    assert caught.value.field == "file" and caught.value.limit == "1 s"
    with pytest.raises(RequestError):
        decode(WAV[:40] + bytes(4))
    with pytest.raises(InvalidField) as slow:
        decode(WAV[:24] + (1).to_bytes(4, "little") + WAV[28:])
    with pytest.raises(InvalidField):
        decode(WAV[:21] + b"\x01" + WAV[22:])
    assert "1 samples" in slow.value.message


@pytest.mark.parametrize(
    "content",
    [b"", b"not a sound", b"RIFF\x00\x00\x00\x00WAVE", b"ID3" + bytes(200), b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"],
)
def test_what_is_no_sound(content: bytes) -> None:
    with pytest.raises(Malformed):
        decode(content)


def test_playlists_open_nothing_else(tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(sound_file("wav", "pcm_s16le"))
    for text in (f"ffconcat version 1.0\nfile {secret}\n", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n"):
        with pytest.raises(Malformed):
            decode(text.encode())




@settings(deadline=None)  # it is shorter than the wait for a processor that others use
@given(st.integers(0, len(WAV)), st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(at: int, noise: bytes) -> None:
    try:
        assert len(decode(WAV[:at] + noise + WAV[at + len(noise) :])) > 0
    except RequestError as error:
        assert error.field == "file"
