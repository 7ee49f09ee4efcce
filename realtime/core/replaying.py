"""What a session's event log holds, and how it is played again: every call that writes or reads the plan, in order.

The frames of a session are a function of its seed, of these calls and of what was left out for want of time, which is
noted with each frame. A record is a JSON object: `do` names the call, the rest are its arguments. Floats pass through
JSON unchanged (`repr` round-trips), so the same build makes the same frames bit by bit."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Final

from realtime.core.errors import Malformed, NotFound
from realtime.core.facs import Emotion
from realtime.core.plan import Plan
from realtime.core.sound import SoundTimeline
from realtime.core.values import I420, Frame, FrameTrace, Pcm, Phoneme, Pose

VERSION: Final = 1
BEGUN: Final = "begun"
"""The record with which frames begin to be made, or do so again after nobody has watched."""
SAMPLE: Final = "sample"
"""The record with which a frame begins: the plan is asked for its pose."""
RESTAGED: Final = "restaged"
"""The record after which frames are made of other pixels than the avatar's own."""
PAINTED: Final = "painted"
"""The record that says which tiles of these pixels changed, and to what."""
DENOISER: Final = "denoiser"
"""The record that says which denoiser is at work from here on."""
REFINED: Final = "refined"
"""The record that says what a call of the denoiser did; of a late one it comes after the call's frame."""
Record = dict[str, Any]
Note = Callable[[Record], None]


class RecordedPlan(Plan):
    """A plan that notes what is asked of it before it does it."""

    def __init__(self, seed: int, note: Note) -> None:
        super().__init__(seed)
        self._note = note

    def speak(self, phonemes: Sequence[Phoneme], start_s: float, end_s: float) -> None:
        said = [[one.symbol, one.start_s, one.end_s, one.stress] for one in phonemes]
        self._note({"do": "speak", "phonemes": said, "start_s": start_s, "end_s": end_s})
        super().speak(phonemes, start_s, end_s)

    def think(self, now_s: float) -> None:
        self._note({"do": "think", "now_s": now_s})
        super().think(now_s)

    def settle(self) -> None:
        self._note({"do": "settle"})
        super().settle()

    def attend(self, now_s: float) -> None:
        self._note({"do": "attend", "now_s": now_s})
        super().attend(now_s)

    def feel(self, emotion: Emotion, intensity: float, at_s: float) -> None:
        self._note({"do": "feel", "emotion": int(emotion), "intensity": intensity, "at_s": at_s})
        super().feel(emotion, intensity, at_s)

    def rest_at(self, mood: Emotion, intensity: float, at_s: float) -> None:
        self._note({"do": "rest_at", "mood": int(mood), "intensity": intensity, "at_s": at_s})
        super().rest_at(mood, intensity, at_s)

    def gesture(self, name: str, at_s: float) -> tuple[str, ...]:
        self._note({"do": "gesture", "name": name, "at_s": at_s})
        return super().gesture(name, at_s)

    def look(self, x: float, y: float, at_s: float, hold_s: float) -> None:
        self._note({"do": "look", "x": x, "y": y, "at_s": at_s, "hold_s": hold_s})
        super().look(x, y, at_s, hold_s)

    def interrupt(self, now_s: float) -> int:
        self._note({"do": "interrupt", "now_s": now_s})
        return super().interrupt(now_s)

    def felt(self, now_s: float) -> tuple[float, ...]:
        self._note({"do": "felt", "now_s": now_s})
        return super().felt(now_s)

    def sample(self, media_s: float) -> Pose:
        self._note({"do": SAMPLE, "media_s": media_s})
        return super().sample(media_s)


class RecordedSound(SoundTimeline):
    """A sound timeline that notes where sound is put, how much, and its digest."""

    def __init__(self, note: Note) -> None:
        super().__init__()
        self._note = note

    def append(self, pcm: Pcm, not_before_s: float = 0.0) -> float:
        start_s = super().append(pcm, not_before_s)
        what = blake2b(pcm.tobytes(), digest_size=8).hexdigest()
        self._note({"do": "sound", "at_s": start_s, "samples": len(pcm), "digest": what})
        return start_s


def digest(pixels: I420) -> str:
    """Thirty-two hex digits that tell one picture from another."""
    return blake2b(pixels.tobytes(), digest_size=16).hexdigest()


def frame_record(frame: Frame, pixels_digest: str) -> Record:
    """What a frame was made of, as far as the plan does not say, and what came of it."""
    return {"do": "frame", "index": frame.index, "epoch": frame.epoch, "digest": pixels_digest} | _made(frame.trace)


def redrawn_record(trace: FrameTrace) -> Record:
    """What a frame was made of that was made once more before it was shown."""
    return {"do": "redrawn"} | _made(trace)


def _made(trace: FrameTrace) -> Record:
    record: Record = {}
    kept = [name for name in trace.rois if name not in trace.drawn and name not in trace.reused]
    if kept:
        record["kept"] = kept
    asked = trace.asked
    faults = set(trace.faults) - set(() if asked is None else asked.spoilt)
    if faults:
        record["faults"] = sorted(faults)
    if trace.base_kept:
        record["base_kept"] = True
    if trace.rung.startswith("refine"):
        record["rung"] = trace.rung
    if asked is not None:
        record["call"] = asked.call
        if asked.better:
            record["better"] = list(asked.better)
    if trace.mouth:
        record["mouth"] = trace.mouth
    return record


def perform(plan: Plan, record: Record) -> Pose | None:
    """Ask of a plan what was asked of the recorded one; the pose, if it was sampled. Records of other things than the
    plan do nothing. Raises `Malformed`."""
    asked = {name: value for name, value in record.items() if name != "do"}
    try:
        match record["do"]:
            case "speak":
                said = [Phoneme(str(a), float(b), float(c), int(d)) for a, b, c, d in asked.pop("phonemes")]
                plan.speak(said, **asked)
            case "feel":
                plan.feel(Emotion(asked.pop("emotion")), **asked)
            case "rest_at":
                plan.rest_at(Emotion(asked.pop("mood")), **asked)
            case "think" | "settle" | "attend" | "gesture" | "look" | "interrupt" | "felt" as name:
                getattr(plan, name)(**asked)
            case "sample":
                return plan.sample(**asked)
    except (KeyError, TypeError, ValueError, NotFound) as error:
        raise Malformed(f"a record of {str(record.get('do'))[:32]!r} cannot be played: {error}", field="log") from error
    return None
