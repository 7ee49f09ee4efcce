"""What hangs on a host swings without a seam, and stays clear of the face."""

import numpy as np
import pytest

from models.avatar.host import IllustratedHost
from models.avatar.layers import paint_layers
from models.avatar.presets import presets
from models.avatar.sway import SWAYING
from realtime.core.composite import planes, windows
from realtime.core.facs import Controls, controls
from realtime.core.values import Roi
from tests.models.avatar.drawing import base_of, difference, picture

SWUNG = {"hair_x": 1.0, "hair_tip": 1.0, "hair_y": 0.6, "jewel_x": 1.0, "cloth_y": 1.0}
POSES = [
    controls(**SWUNG), controls(yaw=18, **SWUNG), controls(yaw=-18, pitch=8, roll=6, **SWUNG),
    controls(**{name: -value for name, value in SWUNG.items()}),
]  # fmt: skip


def swaying(host: IllustratedHost, pose: Controls) -> dict[str, Roi]:
    return {r.name: r.roi for r in host.regions(host.base_key(pose), pose) if r.name in SWAYING}


@pytest.mark.parametrize("pose", POSES)
def test_no_seam_around_what_swings(host: IllustratedHost, pose: Controls) -> None:
    base = base_of(host, pose)
    changed = difference(picture(host, pose), base).astype(np.uint8)
    assert set(swaying(host, pose)) == set(SWAYING)
    for roi in swaying(host, pose).values():
        plane = windows(changed, roi)[0]
        inside = [
            plane[0] if roi.y > 0 else None, plane[-1] if roi.y + roi.height < 512 else None,
            plane[:, 0] if roi.x > 0 else None, plane[:, -1] if roi.x + roi.width < 512 else None,
        ]  # fmt: skip
        assert max(edge.max() for edge in inside if edge is not None) <= 2


@pytest.mark.parametrize("pose", POSES)
def test_what_swings_stays_clear_of_the_face(host: IllustratedHost, pose: Controls) -> None:
    speaking = pose.with_(AU25=0.5, AU26=0.5, blink_l=0.5)
    faces = [r.roi for r in host.regions(host.base_key(speaking), speaking) if r.name in ("upper", "lower")]
    for roi in swaying(host, speaking).values():
        assert roi.x % 2 == roi.y % 2 == roi.width % 2 == roi.height % 2 == 0
        for face in faces:
            apart = roi.x + roi.width <= face.x or face.x + face.width <= roi.x
            assert apart or roi.y >= face.y + face.height


def test_tips_move_and_roots_stay(host: IllustratedHost) -> None:
    pose = controls(hair_x=1.0, hair_tip=1.0)
    changed = planes(difference(picture(host, pose), base_of(host, pose)).astype(np.uint8))[0]
    assert (changed[400:] > 10).sum() > 8 * (changed[:300] > 10).sum()


def test_a_smaller_swing_moves_less(host: IllustratedHost) -> None:
    base = base_of(host, controls())
    moved = [difference(picture(host, controls(hair_x=v)), base).astype(np.int64).sum() for v in (0.1, 0.4, 1.0)]
    assert moved == sorted(moved)


def test_short_hair_does_not_swing() -> None:
    spec = presets()["arthur"]
    shorn = IllustratedHost(spec, paint_layers(spec))
    assert set(swaying(shorn, POSES[0])) == {"sway_middle"}
