"""Scenes as specs: each is whole, and its ladder never reaches above what a session is equipped with."""

import json

import pytest

from realtime.core.backdrop import parse
from realtime.core.scenes import SCENES, Limits, Scene


@pytest.mark.parametrize("scene", SCENES.values(), ids=lambda scene: scene.name)
def test_a_scene_is_whole(scene: Scene) -> None:
    assert 100 <= scene.budget_ms <= 500 and scene.inputs and set(scene.title) == {"en", "zh"}
    assert str(parse(scene.layout.background)) == scene.layout.background
    assert json.loads(json.dumps(scene.as_json()))["ladder"]["down_after"] == scene.ladder.down_after


def test_quick_scenes_give_way_sooner() -> None:
    host, ar = SCENES["host"], SCENES["ar"]
    assert (SCENES["meeting"].budget_ms, ar.budget_ms) == (200, 150)
    assert ar.ladder.ladder("refine2").rung == "refine1" and host.ladder.ladder("refine2").rung == "refine2"
    assert ar.layout.background == "transparent"
    steps = []
    for scene in (host, ar):
        ladder = scene.ladder.ladder("refine1")
        steps.append(next(n for n in range(1, 20) if ladder.observe(0.1, 0.04, 0.04 * n) is not None))
    assert steps == [3, 2]


def test_a_smaller_budget_never_bears_more_late_frames() -> None:
    ordered = sorted(SCENES.values(), key=lambda scene: scene.budget_ms)
    borne = [scene.ladder.down_after for scene in ordered]
    assert borne == sorted(borne) and borne[0] < borne[-1]
    # what is borne is well within the time that words have to become sound
    assert all(scene.ladder.down_after * 40 <= scene.budget_ms * 0.6 for scene in ordered)


def test_every_scene_is_meant_for_microphones() -> None:
    assert all("voice" in scene.inputs for scene in SCENES.values())
    assert {"gift", "order"} <= set(SCENES["commerce"].inputs) and "gift" not in SCENES["tutor"].inputs


def test_equipment_is_the_limit() -> None:
    assert Limits().ladder("warp").rung == "warp" and Limits(best="cached").ladder("refine2").rung == "cached"
