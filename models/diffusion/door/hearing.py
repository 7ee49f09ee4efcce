"""Features of speech for a mouth: every layer of a Whisper encoder (Radford et al. 2022), as MuseTalk takes them.

A picture at time t sees the encoder's frames (50 a second) around t: `AROUND` pictures' worth of sound on either side,
of every layer, oldest first, layers together: (frames * layers, width)."""

from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import WhisperFeatureExtractor, WhisperModel

from models.diffusion.door.files import read_json, weights_in
from realtime.core.errors import PackError
from realtime.core.values import Pcm

RATE_HZ: Final = 16_000
FRAMES_PER_S: Final = 50
AROUND: Final = 2
PICTURE_FRAMES: Final = 2
"""Encoder frames per picture at 25 pictures a second."""


class SpeechFeatures(Protocol):
    """What a mouth net hears."""

    @property
    def shape(self) -> tuple[int, int]:
        """Tokens per picture and their width."""
        ...

    def around(self, pcm: Pcm, at_s: float) -> NDArray[np.float32]:
        """Features of the sound around `at_s` of a stretch at 16 kHz; silence lies before and behind it."""
        ...


class WhisperFeatures:
    """Behind `SpeechFeatures`; keeps the encoding of the last stretch, for pictures come in order."""

    def __init__(self, place: Path) -> None:
        """`place` holds a Whisper model as transformers writes it. Raises `PackError`."""
        config = read_json(place / "config.json")
        if config.get("model_type") != "whisper":
            raise PackError(f"{place} holds a {config.get('model_type')!r}, not a Whisper model")
        weights_in(place)
        try:
            model = WhisperModel.from_pretrained(place, use_safetensors=True, local_files_only=True)
        except Exception as error:  # whatever a foreign file makes the library raise, it is the file's fault
            raise PackError(f"{place} cannot be loaded: {str(error).splitlines()[0]}") from error
        self._encoder: Any = model.get_encoder().eval().requires_grad_(False)
        extractor: Any = WhisperFeatureExtractor
        self._mel = extractor(feature_size=model.config.num_mel_bins)
        self._layers = model.config.encoder_layers + 1
        self._width = int(model.config.d_model)
        self._last: tuple[bytes, NDArray[np.float32]] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Tokens per picture and their width."""
        return (2 * AROUND + 1) * PICTURE_FRAMES * self._layers, self._width

    def around(self, pcm: Pcm, at_s: float) -> NDArray[np.float32]:
        """See `SpeechFeatures.around`; (tokens, width)."""
        frames = self._encoded(pcm)
        reach = (2 * AROUND + 1) * PICTURE_FRAMES
        first = round(at_s * FRAMES_PER_S) - AROUND * PICTURE_FRAMES
        found = np.zeros((reach, self._layers, self._width), np.float32)
        begin, end = max(0, first), min(len(frames), first + reach)
        if begin < end:
            found[begin - first : end - first] = frames[begin:end]
        return found.reshape(-1, self._width)

    def _encoded(self, pcm: Pcm) -> NDArray[np.float32]:
        """(frames, layers, width)."""
        key = pcm.tobytes()
        if self._last is None or self._last[0] != key:
            mel = self._mel(pcm.astype(np.float32) / 32768, sampling_rate=RATE_HZ, return_tensors="pt").input_features
            with torch.inference_mode():
                states = self._encoder(mel, output_hidden_states=True).hidden_states
            stacked = torch.stack(states, 2)[0].numpy()  # (frames, layers, width)
            self._last = key, stacked[: -(-len(pcm) * FRAMES_PER_S // RATE_HZ)]
        return self._last[1]
