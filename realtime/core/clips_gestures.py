"""Gestures of head, face and shoulders: what an illustrated host can do without its hands."""

from typing import Final

from realtime.core.primitives import Primitive, Track


def _held(peak: float, rise_s: float, fall_s: float, length_s: float) -> Track:
    """Up to `peak` by `rise_s`, held until `fall_s`, back to zero at the end."""
    return ((0, 0), (rise_s, peak), (fall_s, peak), (length_s, 0))


def _gesture(name: str, length_s: float, description: str, moves_body: bool = True, **tracks: Track) -> Primitive:
    return Primitive(name, "gesture", length_s, tracks, description, moves_body)


def _look(name: str, where: str, yaw: float, pitch: float, gaze_x: float, gaze_y: float) -> Primitive:
    """The eyes go first, the head follows and comes back with them."""
    tracks: dict[str, Track] = {
        "gaze_x": ((0, 0), (0.08, gaze_x), (1.5, gaze_x), (1.6, 0), (2.0, 0)),
        "gaze_y": ((0, 0), (0.08, gaze_y), (1.5, gaze_y), (1.6, 0), (2.0, 0)),
    }
    for control, peak in (("yaw", yaw), ("pitch", pitch)):
        if peak:
            tracks[control] = ((0, 0), (0.1, 0), (0.5, peak), (1.45, peak), (2.0, 0))
    return Primitive(name, "gesture", 2.0, tracks, f"Looks {where} and back.")


LOOKS: Final = (
    _look("look_left", "to the picture's left", -7.5, 0, -0.7, 0),
    _look("look_right", "to the picture's right", 7.5, 0, 0.7, 0),
    _look("look_up", "up", 0, -4.5, 0, -0.7),
    _look("look_down", "down", 0, 5.4, 0, 0.7),
)

ANSWERS: Final = (
    _gesture(
        "agree", 1.5, "Nods twice with a smile: gladly, quite so.",
        pitch=((0, 0), (0.2, -0.9), (0.42, 5.4), (0.66, 0), (0.9, 4.5), (1.5, 0)),
        AU12=_held(0.4, 0.35, 1.0, 1.5), AU6=_held(0.3, 0.35, 1.0, 1.5),
    ),
    _gesture(
        "disagree", 2.0, "Shakes the head slowly with lowered brows: I do not think so.",
        yaw=((0, 0), (0.36, 5.1), (0.86, -5.1), (1.34, 3.0), (2.0, 0)),
        AU4=_held(0.35, 0.3, 1.5, 2.0), AU15=_held(0.25, 0.3, 1.5, 2.0),
    ),
    _gesture(
        "doubt", 2.0, "One brow up, head aside: are you sure?",
        roll=_held(-3.9, 0.45, 1.4, 2.0), brow_asym=_held(0.9, 0.3, 1.5, 2.0), AU14=_held(0.4, 0.3, 1.5, 2.0),
    ),
    _gesture(
        "shrug", 1.8, "Lifts shoulders and brows: who knows?",
        shoulders=_held(0.9, 0.35, 1.0, 1.8), roll=_held(4.2, 0.4, 1.0, 1.8), AU1=_held(0.5, 0.3, 1.1, 1.8),
        AU2=_held(0.5, 0.3, 1.1, 1.8), AU15=_held(0.4, 0.3, 1.1, 1.8), AU17=_held(0.3, 0.3, 1.1, 1.8),
    ),
    _gesture(
        "emphasise", 0.9, "A short nod with raised brows: this matters.",
        pitch=((0, 0), (0.14, -0.9), (0.34, 4.8), (0.9, 0)), AU1=_held(0.5, 0.18, 0.5, 0.9),
        AU2=_held(0.5, 0.18, 0.5, 0.9),
    ),
)  # fmt: skip

MANNERS: Final = (
    _gesture(
        "bow", 2.2, "Bows the head: thank you, welcome.",
        pitch=_held(12.0, 0.7, 1.2, 2.2), blink_l=_held(0.7, 0.6, 1.3, 2.2), blink_r=_held(0.7, 0.6, 1.3, 2.2),
        AU12=_held(0.4, 0.4, 1.7, 2.2),
    ),
    _gesture(
        "invite", 1.8, "Leans in with a smile and a nod: please, go on.",
        lean=_held(0.8, 0.5, 1.1, 1.8), pitch=((0, 0), (0.5, 0), (0.75, 3.6), (1.1, 0), (1.8, 0)),
        AU12=_held(0.6, 0.4, 1.3, 1.8), AU6=_held(0.4, 0.4, 1.3, 1.8), AU1=_held(0.3, 0.3, 1.2, 1.8),
    ),
    _gesture("lean_in", 2.4, "Leans towards the viewer.", lean=_held(1.0, 0.6, 1.7, 2.4)),
    _gesture("lean_back", 2.4, "Leans away from the viewer.", lean=_held(-1.0, 0.6, 1.7, 2.4)),
    _gesture(
        "tilt", 2.0, "Tilts the head with raised brows: how interesting.",
        roll=_held(6.6, 0.5, 1.3, 2.0), AU1=_held(0.35, 0.4, 1.4, 2.0), AU2=_held(0.35, 0.4, 1.4, 2.0),
    ),
    _gesture(
        "wink", 0.9, "Winks: between you and me.", moves_body=False,
        blink_l=((0, 0), (0.12, 1.0), (0.34, 1.0), (0.55, 0), (0.9, 0)), AU12=_held(0.45, 0.15, 0.6, 0.9),
        smirk=_held(0.5, 0.15, 0.6, 0.9), AU6=_held(0.3, 0.15, 0.6, 0.9),
    ),
    _gesture(
        "recall", 2.4, "Looks up and aside for what it was called.",
        yaw=_held(-4.5, 0.5, 1.6, 2.4), pitch=_held(-2.7, 0.5, 1.6, 2.4),
        gaze_x=((0, 0), (0.08, -0.5), (1.6, -0.5), (1.68, 0), (2.4, 0)),
        gaze_y=((0, 0), (0.08, -0.6), (1.6, -0.6), (1.68, 0), (2.4, 0)), AU4=_held(0.25, 0.3, 1.6, 2.4),
    ),
)  # fmt: skip

FEELINGS: Final = (
    _gesture(
        "beam", 2.4, "Beams at the viewer.", moves_body=False,
        AU12=_held(0.8, 0.45, 1.7, 2.4), AU6=_held(0.6, 0.45, 1.7, 2.4),
    ),
    _gesture(
        "frown", 2.0, "Draws the brows together.", moves_body=False, AU4=_held(0.8, 0.35, 1.4, 2.0),
        AU7=_held(0.3, 0.35, 1.4, 2.0),
    ),
    _gesture(
        "laugh", 2.2, "Laughs with bouncing shoulders.",
        pitch=_held(-3.6, 0.35, 1.5, 2.2),
        shoulders=((0, 0), (0.25, 0.5), (0.45, 0.1), (0.65, 0.5), (0.85, 0.1), (1.05, 0.45), (1.3, 0.1), (2.2, 0)),
        AU12=_held(1.0, 0.3, 1.6, 2.2), AU6=_held(0.9, 0.3, 1.6, 2.2), AU25=_held(0.8, 0.25, 1.5, 2.2),
        AU26=((0, 0), (0.25, 0.4), (0.45, 0.25), (0.65, 0.4), (0.85, 0.25), (1.05, 0.35), (1.5, 0.2), (2.2, 0)),
    ),
    _gesture(
        "startle", 1.8, "Starts back with wide eyes.",
        lean=_held(-0.7, 0.25, 0.9, 1.8), AU1=_held(0.9, 0.2, 1.0, 1.8), AU2=_held(0.9, 0.2, 1.0, 1.8),
        AU5=_held(0.8, 0.2, 1.0, 1.8), AU25=_held(0.5, 0.2, 0.9, 1.8), AU26=_held(0.4, 0.2, 0.9, 1.8),
    ),
    _gesture(
        "celebrate", 2.2, "Bounces with joy.",
        pitch=((0, 0), (0.3, -3.0), (0.55, 1.5), (0.85, -3.0), (1.1, 1.5), (1.4, -1.5), (2.2, 0)),
        shoulders=((0, 0), (0.3, 0.7), (0.55, 0.1), (0.85, 0.7), (1.1, 0.1), (1.4, 0.3), (2.2, 0)),
        AU12=_held(1.0, 0.3, 1.7, 2.2), AU6=_held(0.8, 0.3, 1.7, 2.2), AU25=_held(0.7, 0.3, 1.6, 2.2),
        AU1=_held(0.4, 0.3, 1.4, 2.2), AU2=_held(0.4, 0.3, 1.4, 2.2),
    ),
    _gesture(
        "sigh", 2.6, "Breathes in and lets the shoulders fall.",
        shoulders=((0, 0), (0.8, 0.6), (1.5, -0.5), (2.6, 0)), pitch=((0, 0), (0.8, -1.8), (1.6, 3.0), (2.6, 0)),
        blink_l=((0, 0), (0.9, 0), (1.3, 0.6), (1.9, 0.5), (2.6, 0)),
        blink_r=((0, 0), (0.9, 0), (1.3, 0.6), (1.9, 0.5), (2.6, 0)), AU25=((0, 0), (1.0, 0), (1.3, 0.3), (2.6, 0)),
    ),
    _gesture(
        "relief", 2.2, "Closes the eyes, smiles, lets go.",
        shoulders=_held(-0.6, 0.6, 1.4, 2.2), blink_l=_held(0.9, 0.4, 1.0, 2.2), blink_r=_held(0.9, 0.4, 1.0, 2.2),
        AU12=_held(0.5, 0.6, 1.6, 2.2), pitch=_held(1.8, 0.6, 1.3, 2.2),
    ),
    _gesture(
        "concern", 2.4, "Leans in with raised inner brows: are you all right?",
        lean=_held(0.5, 0.5, 1.7, 2.4), roll=_held(2.7, 0.5, 1.7, 2.4), AU1=_held(0.85, 0.4, 1.8, 2.4),
        AU4=_held(0.4, 0.4, 1.8, 2.4), AU15=_held(0.3, 0.4, 1.8, 2.4),
    ),
    _gesture(
        "proud", 2.0, "Lifts the chin with a smile.",
        pitch=_held(-4.5, 0.5, 1.3, 2.0), shoulders=_held(0.25, 0.5, 1.3, 2.0), AU12=_held(0.55, 0.4, 1.4, 2.0),
    ),
    _gesture(
        "shy", 2.2, "Looks down aside with a small smile.",
        pitch=_held(4.8, 0.5, 1.4, 2.2), roll=_held(4.5, 0.5, 1.4, 2.2), AU12=_held(0.45, 0.4, 1.6, 2.2),
        gaze_y=((0, 0), (0.1, 0.6), (1.4, 0.6), (1.5, 0), (2.2, 0)),
        gaze_x=((0, 0), (0.1, 0.35), (1.4, 0.35), (1.5, 0), (2.2, 0)),
    ),
)  # fmt: skip

ALL: Final = (*LOOKS, *ANSWERS, *MANNERS, *FEELINGS)
