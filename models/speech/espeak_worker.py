"""A small process that owns the espeak-ng library and speaks `frames` over its standard streams.

espeak-ng is GPL-3, Anima is Apache-2.0: the library is loaded here and nowhere else, and this process can be
replaced by any other program that speaks the same protocol. Run as `python -m models.speech.espeak_worker`.
"""

import ctypes
import json
import os
import queue
import sys
import threading
from typing import Any, BinaryIO, Final

import espeakng_loader

from models.speech import frames

BUFFER_MS: Final = 40
"""Length of sound per callback: the grain of streaming and of cancelling."""

# speak_lib.h of espeak-ng 1.52
_OUTPUT_SYNCHRONOUS = 2
_INIT_PHONEME_EVENTS, _INIT_PHONEME_IPA, _INIT_DONT_EXIT = 0x0001, 0x0002, 0x8000
_EVENT_END_OF_LIST, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_PARAMETER_RATE, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 3, 4
_POSITION_BY_CHARACTER = 1
_CHARS_UTF8, _PHONEMES_IN_BRACKETS, _END_PAUSE = 1, 0x100, 0x1000

_WARM_UP: Final = (("en-us", "a"), ("cmn", "啊"))
"""The first use of a language reads its dictionary (about 17 ms)."""


_SEED: Final = 1


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class Engine:
    """The library, and the one job it is busy with."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._job = 0
        self._muted = True
        self._cancelled: set[int] = set()
        self._lib: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        self._lib.espeak_Info.restype = ctypes.c_char_p
        options = _INIT_PHONEME_EVENTS | _INIT_PHONEME_IPA | _INIT_DONT_EXIT
        data = espeakng_loader.get_data_path().encode()
        self.sample_rate: int = self._lib.espeak_Initialize(_OUTPUT_SYNCHRONOUS, BUFFER_MS, data, options)
        if self.sample_rate <= 0:
            raise RuntimeError(f"espeak-ng does not start with the data at {data.decode()}")
        self._callback = _CALLBACK(self._on_sound)
        self._lib.espeak_SetSynthCallback(self._callback)

    @property
    def version(self) -> str:
        """The library's version."""
        version: bytes = self._lib.espeak_Info(None)
        return version.decode(errors="replace").split()[0]

    def warm_up(self) -> None:
        """Load the dictionaries without a sound."""
        for voice, text in _WARM_UP:
            self._synthesise(voice, text, end_pause=False)

    def cancel(self, job: int) -> None:
        """End a job at its next buffer; called from the reading thread."""
        self._cancelled.add(job)

    def speak(self, job: int, request: dict[str, Any]) -> None:
        """Speak one job out, or until it is cancelled."""
        self._job, self._muted = job, False
        try:
            for parameter, name in (
                (_PARAMETER_RATE, "rate"),
                (_PARAMETER_PITCH, "pitch"),
                (_PARAMETER_RANGE, "range"),
            ):
                self._lib.espeak_SetParameter(parameter, int(request[name]), 0)
            if job not in self._cancelled:
                self._synthesise(str(request["voice"]), str(request["text"]), end_pause=bool(request["pause"]))
            self._send(frames.DONE)
        except (KeyError, ValueError, RuntimeError) as error:
            self._send(frames.FAILED, f"{type(error).__name__}: {error}".encode())
        finally:
            self._muted = True
            self._cancelled.discard(job)

    def announce(self) -> None:
        """Tell the other side that jobs are welcome."""
        self._send(frames.READY, json.dumps({"sample_rate": self.sample_rate, "version": self.version}).encode())

    def _synthesise(self, voice: str, text: str, *, end_pause: bool) -> None:
        if self._lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        # breath and aspiration are noise: seeded, so that the same words always give the same sound
        self._lib.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
        data = text.encode(errors="replace") + b"\0"
        flags = _CHARS_UTF8 | _PHONEMES_IN_BRACKETS | (_END_PAUSE if end_pause else 0)
        status = self._lib.espeak_Synth(data, len(data), 0, _POSITION_BY_CHARACTER, 0, flags, None, None)
        if status != 0 and self._job not in self._cancelled:
            raise RuntimeError(f"espeak_Synth returned {status}")

    def _on_sound(self, wav: int | None, samples: int, events: Any) -> int:
        if self._muted:
            return 0
        if self._job in self._cancelled:
            return 1
        found = []
        index = 0
        while (event := events[index]).type != _EVENT_END_OF_LIST:
            index += 1
            if event.type == _EVENT_PHONEME:
                symbol = bytes(event.id.string).split(b"\0")[0].decode(errors="ignore")
                found.append((frames.PHONEME_EVENT, event.sample, event.text_position - 1, 0, symbol))
            elif event.type == _EVENT_WORD:
                found.append((frames.WORD_EVENT, event.sample, event.text_position - 1, event.length, ""))
        if found:
            self._send(frames.EVENTS, json.dumps(found).encode())
        if wav and samples > 0:
            self._send(frames.AUDIO, ctypes.string_at(wav, samples * 2))
        return 0

    def _send(self, kind: bytes, payload: bytes = b"") -> None:
        try:
            self._out.write(frames.encode(kind, self._job, payload))
            self._out.flush()
        except (BrokenPipeError, ValueError):
            os._exit(0)  # nobody listens; an exception would be swallowed by the C callback


def _read_requests(source: BinaryIO, engine: Engine, jobs: "queue.SimpleQueue[tuple[int, dict[str, Any]]]") -> None:
    while len(header := source.read(frames.HEADER.size)) == frames.HEADER.size:
        length, kind, job = frames.decode_header(header)
        payload = source.read(length)
        if kind == frames.SPEAK:
            jobs.put((job, json.loads(payload)))
        elif kind == frames.CANCEL:
            engine.cancel(job)
    os._exit(0)  # the parent is gone: leave even from inside a synthesis


def main() -> None:
    """Serve jobs until standard input closes."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever the library prints must not enter the protocol
    engine = Engine(out)
    jobs: queue.SimpleQueue[tuple[int, dict[str, Any]]] = queue.SimpleQueue()
    threading.Thread(target=_read_requests, args=(sys.stdin.buffer, engine, jobs), daemon=True).start()
    engine.warm_up()
    engine.announce()
    while True:
        engine.speak(*jobs.get())


if __name__ == "__main__":
    main()
