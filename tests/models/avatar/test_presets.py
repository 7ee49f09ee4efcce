"""Every preset keeps what the rig promises: seams, controls, gestures, a face that is read as one."""

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import pytest

from models.avatar.gallery import Gallery, draw_poster
from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.presets import presets
from models.avatar.sheet import looks
from realtime.core.clips import PRIMITIVES
from realtime.core.composite import windows
from realtime.core.facs import HAND_SHAPES, REST, Controls, controls
from realtime.core.primitives import clip_controls
from tests.models.avatar.drawing import base_of, difference, picture, rgb

NAMES = [name for name in presets() if name != "mei"]
POSES = [controls(), controls(yaw=14, pitch=-5, roll=3), controls(yaw=-18)]
_HOSTS: dict[str, IllustratedHost] = {}


def host_of(name: str) -> IllustratedHost:
    if name not in _HOSTS:
        spec = presets()[name]
        _HOSTS[name] = IllustratedHost(spec, paint_layers(spec))
    return _HOSTS[name]


@pytest.mark.slow
@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("name", NAMES)
def test_no_seam_around_a_speaking_mouth(name: str, pose: Controls) -> None:
    host, speaking = host_of(name), pose.with_(AU25=0.8, AU26=0.8)
    base = base_of(host, speaking)
    (region,) = host.regions(host.base_key(speaking), speaking)
    for plane in windows(difference(picture(host, speaking), base).astype(np.uint8), region.roi):
        border = np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]])
        assert border.max() <= 2, "as on the default host"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_a_judge_finds_the_face_and_it_follows(name: str) -> None:
    mediapipe: Any = pytest.importorskip("mediapipe")
    host = host_of(name)

    def landmarks(mesh: Any, pose: Controls) -> Any:
        faces = mesh.process(rgb(picture(host, pose))).multi_face_landmarks
        assert faces, f"no face in {name} at {pose.nonzero()}"
        return np.asarray([(p.x, p.y) for p in faces[0].landmark], np.float64) * 512

    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, refine_landmarks=True) as mesh:
        for pose in looks().values():
            landmarks(mesh, pose)
        jaws = [landmarks(mesh, controls(AU26=value, AU25=0.7)) for value in (0.2, 0.5, 0.8)]
        smiles = [landmarks(mesh, controls(AU12=value)) for value in (0.0, 0.5, 1.0)]
        rest = landmarks(mesh, REST)
    assert np.all(np.diff([p[14, 1] - p[13, 1] for p in jaws]) > 3.0)
    assert np.all(np.diff([p[291, 0] - p[61, 0] for p in smiles]) > 1.5)
    assert rest[291, 0] - rest[61, 0] >= 84.0
    assert 0.70 <= rest[152, 1] / 512 <= 0.78, "the chin stands at about three quarters of the height"


@pytest.mark.slow
@pytest.mark.parametrize("control", ["AU1", "AU4", "AU12", "AU26", "blink_l", "gaze_x"])
def test_controls_move_a_second_host_further_the_higher_they_are(control: str) -> None:
    """Measured on the host that wears the most: glasses, age lines, short hair."""
    host = host_of("arthur")
    rest = picture(host, REST)
    moved = [int((difference(picture(host, controls(**{control: v})), rest) > 12).sum()) for v in (0.25, 0.6, 1.0)]
    assert 0 < moved[0] < moved[1] < moved[2]


@pytest.mark.parametrize("hand", range(len(HAND_SHAPES)))
def test_every_hand_shape_shows_and_is_out_of_sight_when_lowered(host: IllustratedHost, hand: int) -> None:
    key = host.base_key(REST)
    assert host.regions(key, controls(hand=float(hand))) == ()
    raised = controls(hand=float(hand), arm_raise=1.0)
    (region,) = host.regions(key, raised)
    alpha = host.draw(base_of(host, REST), key, raised, region).alpha
    assert alpha is not None and int((alpha > 200).sum()) > 6000


def test_hands_differ(host: IllustratedHost) -> None:
    seen = [picture(host, controls(hand=float(n), arm_raise=1.0)) for n in range(len(HAND_SHAPES))]
    for i, one in enumerate(seen):
        for other in seen[i + 1 :]:
            assert int((difference(one, other) > 24).sum()) > 1000


@pytest.mark.parametrize(
    "name", [n for n, p in PRIMITIVES.items() if p.kind == "gesture" and "arm_raise" in p.tracks and "hand" in p.tracks]
)
def test_a_hand_comes_and_goes_without_a_cut(host: IllustratedHost, name: str) -> None:
    """It enters from below the picture, leaves the same way, and its shape changes only out of sight."""
    shown: list[Mapping[str, float]] = []
    for pose in clip_controls(PRIMITIVES[name]):
        visible = bool([r for r in host.regions(host.base_key(pose), pose) if r.name == "arm"])
        shown.append({"visible": visible, "hand": pose["hand"], "raise": pose["arm_raise"]})
    seen = [frame for frame in shown if frame["visible"]]
    assert seen and len({frame["hand"] for frame in seen}) == 1
    assert not shown[0]["visible"] and shown[-1]["raise"] < 0.05
    assert max(abs(a["raise"] - b["raise"]) for a, b in zip(shown, shown[1:], strict=False)) < 0.2


def test_a_picture_is_put_onto_the_card() -> None:
    spec = presets()["mei"]
    host = IllustratedHost(spec, paint_layers(spec))
    held = controls(hand=float(HAND_SHAPES.index("card")), arm_raise=1.0)
    empty, (before,) = picture(host, held), host.regions(host.base_key(held), held)
    host.show_on_card(np.full((400, 300, 3), (200, 30, 30), np.uint8))
    (after,) = host.regions(host.base_key(held), held)
    assert before.key != after.key and before.roi == after.roi
    red = rgb(picture(host, held)).astype(int) - rgb(empty)
    assert int((red[..., 1] < -60).sum()) > 5000
    host.show_on_card(None)
    assert np.array_equal(picture(host, held), empty)


def test_a_poster_is_drawn_once(tmp_path: Any) -> None:
    gallery = Gallery(tmp_path, [])
    path = gallery.pack("mei").with_suffix(".jpg")
    path.write_bytes(draw_poster(gallery.specs["mei"]))
    poster = cv2.imdecode(np.frombuffer(gallery.poster("mei"), np.uint8), cv2.IMREAD_COLOR)
    assert poster.shape == (512, 512, 3)
    gallery.close()
