"""Features of speech for a mouth: every layer of a Whisper encoder (Radford et al. 2022), as MuseTalk takes them.

A picture at time t sees the encoder's frames (50 a second) around t: `AROUND` pictures' worth of sound on either side,
of every layer, oldest first, layers together: (frames * layers, width)."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import WhisperFeatureExtractor, WhisperModel

from models.diffusion.door.files import read_json, weights_in
from realtime.core.errors import PackError
from realtime.core.listening import HEARING_RATE_HZ
from realtime.core.values import Pcm

FRAMES_PER_S: Final = 50
AROUND: Final = 2
PICTURE_FRAMES: Final = 2
"""Encoder frames per picture at 25 pictures a second."""
REACH: Final = (2 * AROUND + 1) * PICTURE_FRAMES
_MEL_FRAMES: Final = 3000
"""Half a minute: an encoder takes no less."""
_SILENT: Final = -1.5
"""Whisper's scale of loudness: 10**-10 of full power, the least there is, is (-10 + 4) / 4."""
_SPAN: Final = 2.0
"""Nothing is told apart that is more than 80 dB below the loudest."""

Frames = NDArray[np.float32]
"""Encoder states of a stretch of sound, (frames, layers, width)."""


class WhisperFeatures:
    """Remembers nothing of what it hears: its sessions share it, and their sound must not meet."""

    def __init__(self, place: Path, device: str = "cpu") -> None:
        """`place` holds a Whisper model as transformers writes it. Raises `PackError`."""
        config = read_json(place / "config.json")
        if config.get("model_type") != "whisper":
            raise PackError(f"{place} holds a {config.get('model_type')!r}, not a Whisper model")
        weights_in(place)
        try:
            model: Any = WhisperModel.from_pretrained(place, use_safetensors=True, local_files_only=True)
        except Exception as error:  # whatever a foreign file makes the library raise, it is the file's fault
            raise PackError(f"{place} cannot be loaded: {(str(error) or 'unknown').splitlines()[0]}") from error
        self._encoder: Any = model.get_encoder().to(device).eval().requires_grad_(False)
        extractor: Any = WhisperFeatureExtractor
        self._mel = extractor(feature_size=model.config.num_mel_bins)
        self._device = device
        self._layers = model.config.encoder_layers + 1
        self._width = int(model.config.d_model)

    @property
    def shape(self) -> tuple[int, int]:
        """Tokens per picture and their width."""
        return REACH * self._layers, self._width

    def encode(self, pcm: Pcm) -> Frames:
        """The states of a stretch of at most half a minute at 16 kHz, with silence behind it."""
        found = self._mel(
            pcm.astype(np.float32) / 32768, sampling_rate=HEARING_RATE_HZ, return_tensors="np", padding=False
        )
        mel = np.asarray(found.input_features[0], np.float32)
        # what lies behind the stretch is silence on the scale of the stretch's loudest moment
        whole = np.full((len(mel), _MEL_FRAMES), max(_SILENT, float(mel.max()) - _SPAN), np.float32)
        whole[:, : mel.shape[1]] = mel[:, :_MEL_FRAMES]
        with torch.inference_mode():
            given = torch.from_numpy(whole)[None].to(self._device)
            states = self._encoder(given, output_hidden_states=True).hidden_states
            stacked = torch.stack(states, 2)[0, : -(-len(pcm) * FRAMES_PER_S // HEARING_RATE_HZ)]
        return np.ascontiguousarray(stacked.float().cpu().numpy())


def around(frames: Frames, at_s: float) -> NDArray[np.float32]:
    """The tokens of a picture `at_s` into a stretch, (tokens, width); nothing lies before and behind it."""
    _, layers, width = frames.shape
    first = round(at_s * FRAMES_PER_S) - AROUND * PICTURE_FRAMES
    found = np.zeros((REACH, layers, width), np.float32)
    begin, end = max(0, first), min(len(frames), first + REACH)
    if begin < end:
        found[begin - first : end - first] = frames[begin:end]
    return found.reshape(-1, width)
