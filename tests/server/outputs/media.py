"""Sound and picture whose times can be read back: every second a white flash and a beep, at the same moment."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from realtime.core.units import AUDIO_TICK_SAMPLES, VIDEO_CLOCK_HZ
from realtime.core.values import I420, Frame, FrameTrace, Pcm
from server.media.audio_encoder import OpusEncoder
from server.media.video_encoder import H264Encoder
from server.outputs.samples import Picture, Sample, Sound, units_of

SIDE = 128
FPS = 25


def pixels(index: int) -> I420:
    """Grey with a moving bar; white in the first frame of each second but the first."""
    picture = np.full((SIDE * 3 // 2, SIDE), 128, np.uint8)
    if index and index % FPS == 0:
        picture[:SIDE] = 235
    else:
        picture[:SIDE] = 60
        picture[:SIDE, (index * 3) % SIDE : (index * 3) % SIDE + 8] = 120
    return picture


def ticks(tick: int) -> Pcm:
    """A beep of 40 ms at the beginning of each second but the first."""
    at = tick * AUDIO_TICK_SAMPLES + np.arange(AUDIO_TICK_SAMPLES)
    on = (at >= 48_000) & (at % 48_000 < 1920)
    return np.where(on, 12_000 * np.sin(at * 0.13), 0).astype(np.int16)


def frame(index: int) -> Frame:
    """One frame of the picture."""
    pts = index * VIDEO_CLOCK_HZ // FPS
    return Frame(index=index, pts=pts, media_s=index / FPS, epoch=0, pixels=pixels(index), trace=FrameTrace())


def samples(seconds: int, *, keyframe_every: int = 50) -> list[Sample]:
    """What a feed gives: pictures, and sound both as Opus and as PCM."""
    encoder, opus = H264Encoder(SIDE, SIDE, FPS, ceiling_bps=500_000), OpusEncoder()
    made: list[Sample] = []
    for index in range(seconds * FPS):
        unit = encoder.encode(frame(index), keyframe=index % keyframe_every == 0, bitrate_bps=500_000)
        made.append(Picture(unit.pts, unit.keyframe, units_of(unit.payloads)))
        for tick in (2 * index, 2 * index + 1):
            pcm = ticks(tick)
            made.append(Sound(tick * AUDIO_TICK_SAMPLES, opus.encode(tick, pcm).payload, pcm))
    return made


@dataclass(frozen=True)
class Read:
    """What a file or stream was found to hold."""

    frames: int
    video_s: float
    """From the first picture to the end of the last."""
    sound_s: float
    monotone: bool
    flashes_s: tuple[float, ...]
    beeps_s: tuple[float, ...]

    @property
    def offsets_ms(self) -> list[float]:
        """How much later each beep is than its flash."""
        return [
            1000.0 * (min(self.beeps_s, key=lambda beep: abs(beep - flash)) - flash) for flash in self.flashes_s
        ]


def read(source: str | Path) -> Read:
    """Decode everything, times as a player shows them."""
    video: list[float] = []
    levels: list[tuple[float, float]] = []
    flashes: list[float] = []
    beeps: list[float] = []
    with av.open(str(source)) as file:
        for decoded in file.decode(file.streams.video[0], file.streams.audio[0]):
            assert isinstance(decoded, av.VideoFrame | av.AudioFrame)
            assert decoded.pts is not None and decoded.time_base is not None
            at_s = float(decoded.pts * Fraction(decoded.time_base))
            if isinstance(decoded, av.VideoFrame):
                video.append(at_s)
                if decoded.to_ndarray(format="gray").mean() > 180:
                    flashes.append(at_s)
            else:
                wave = decoded.to_ndarray()[0].astype(float)
                wave = wave / (1.0 if decoded.format.is_planar and "flt" in decoded.format.name else 32768.0)
                levels.append((at_s, len(wave) / decoded.sample_rate))
                loud = np.flatnonzero(np.abs(wave) > 0.08)
                first_s = at_s + loud[0] / decoded.sample_rate if len(loud) else None
                if first_s is not None and (not beeps or first_s - beeps[-1] > 0.5):
                    beeps.append(first_s)
    sound_s = levels[-1][0] + levels[-1][1] - levels[0][0]
    monotone = all(a < b for a, b in zip(video, video[1:], strict=False))
    monotone = monotone and all(a[0] < b[0] for a, b in zip(levels, levels[1:], strict=False))
    return Read(
        len(video), video[-1] - video[0] + 1 / FPS, sound_s, monotone, tuple(flashes), tuple(beeps)
    )
