"""A spoken preview of any avatar as an MP4 with sound: the voice, plan and drawing that serve, without a clock."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from realtime.core.composite import compose
from realtime.core.facs import Controls, Emotion
from realtime.core.plan import Plan
from realtime.core.units import AUDIO_RATE_HZ, FRAME_RATE_HZ, FRAME_S
from realtime.core.values import I420, BaseKey, Pcm, Phoneme, VoiceSpec
from realtime.ports import Avatar, Voice

TEXT: Final = (
    "Hello! I was made from a single picture, and I move as you speak to me.",
    "Blue moons, maple bowls, five fresh waves: my lips close where yours would.",
    "Sometimes I wonder, and then I smile. What would you like to talk about?",
)
MOODS: Final = ((Emotion.HAPPY, 0.55), (Emotion.NEUTRAL, 0.0), (Emotion.HAPPY, 0.7))
"""A preview's sentences and what is felt with each."""
_LEAD_S, _GAP_S, _TAIL_S = 0.6, 0.5, 1.2
_SOUND_BLOCK: Final = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """What was said, on one timeline."""

    pcm: Pcm
    duration_s: float
    plan: Plan


async def speak(voice: Voice, sentences: tuple[str, ...] = TEXT, language: str = "en") -> Spoken:
    """Speak the sentences one after another, with their moods."""
    plan, at_s, pieces = Plan(seed=3), _LEAD_S, [_silence(_LEAD_S)]
    for index, sentence in enumerate(sentences):
        chunks = [chunk async for chunk in voice.speak(sentence, VoiceSpec(language=language))]
        phonemes: tuple[Phoneme, ...] = tuple(phoneme for chunk in chunks for phoneme in chunk.phonemes)
        pcm = np.concatenate([chunk.pcm for chunk in chunks])
        mood, intensity = MOODS[index % len(MOODS)]
        plan.feel(mood, intensity, at_s - 0.2)
        plan.speak(phonemes, at_s, at_s + len(pcm) / AUDIO_RATE_HZ)
        pieces += [pcm, _silence(_GAP_S)]
        at_s += len(pcm) / AUDIO_RATE_HZ + _GAP_S
    pieces.append(_silence(_TAIL_S))
    return Spoken(np.concatenate(pieces), at_s + _TAIL_S, plan)


class Frames:
    """Frames as the generator's first two levels make them, without a budget."""

    def __init__(self, avatar: Avatar) -> None:
        self._avatar = avatar
        self._bases: dict[BaseKey, I420] = {}

    def picture(self, controls: Controls) -> I420:
        """One frame."""
        avatar, key = self._avatar, self._avatar.base_key(controls)
        base = avatar.base(key)
        if base is None:
            if key not in self._bases:
                self._bases[key] = avatar.render_base(key)
            base = self._bases[key]
        patches = [avatar.draw(base, key, controls, region) for region in avatar.regions(key, controls)]
        return compose(base, patches, np.empty_like(base))


def film(avatar: Avatar, spoken: Spoken, path: Path, progress: Callable[[int, int], None] | None = None) -> int:
    """Write an MP4 (H.264 and AAC); returns its number of frames. Raises `OSError` if it cannot be written."""
    frames, count = Frames(avatar), round(spoken.duration_s / FRAME_S)
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=FRAME_RATE_HZ)
        video.width, video.height, video.pix_fmt = avatar.width, avatar.height, "yuv420p"
        video.options = {"crf": "18", "preset": "veryfast", "threads": "1"}
        sound = file.add_stream("aac", rate=AUDIO_RATE_HZ)
        sound.layout = "mono"
        for index in range(count):
            controls = spoken.plan.sample(index * FRAME_S).controls
            frame = av.VideoFrame.from_ndarray(frames.picture(controls), format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, FRAME_RATE_HZ)
            file.mux(video.encode(frame))
            if progress is not None:
                progress(index + 1, count)
        file.mux(video.encode())
        for start in range(0, len(spoken.pcm), _SOUND_BLOCK):
            block = av.AudioFrame.from_ndarray(_block(spoken.pcm, start), format="fltp", layout="mono")
            block.sample_rate, block.pts, block.time_base = AUDIO_RATE_HZ, start, Fraction(1, AUDIO_RATE_HZ)
            file.mux(sound.encode(block))
        file.mux(sound.encode())
    return count


def _block(pcm: Pcm, start: int) -> NDArray[np.float32]:
    return (pcm[start : start + _SOUND_BLOCK].astype(np.float32) / 32768.0)[None]


def _silence(seconds: float) -> Pcm:
    return np.zeros(round(seconds * AUDIO_RATE_HZ), np.int16)
