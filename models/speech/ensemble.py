"""Puts the voices of a server together: the embedded one, an endpoint's, and those of ONNX files."""

from pathlib import Path

from models.speech.chorus import Chorus, Speaker
from models.speech.endpoint import EndpointVoice, SpeakingSpec
from models.speech.espeak import EspeakVoice
from models.speech.onnx_files import find_voices
from models.speech.onnx_voice import OnnxVoice, load
from realtime.core.errors import ConfigError


def ensemble(endpoint: SpeakingSpec | None, folder: Path | None) -> Chorus:
    """All voices. Files are read and models tried at once, so that a bad one stops the start. Raises `ConfigError`."""
    embedded = EspeakVoice()
    others: list[Speaker] = []
    if endpoint is not None:
        if not endpoint.voices:
            raise ConfigError("tts_voices is empty: name the voices of the endpoint that tts_base_url is")
        others.append(EndpointVoice(endpoint, embedded))
    if folder is not None:
        files = find_voices(folder)
        for file in {file.model: file for file in files}.values():
            load(file)
        others.append(OnnxVoice(files, embedded))
    return Chorus(embedded, others)
