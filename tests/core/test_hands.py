"""A hand that holds something puts it down before it does anything else."""

import numpy as np
import pytest

from realtime.core.body import Body
from realtime.core.clips import PRIMITIVES, primitive
from realtime.core.facs import CONTROL_INDEX, HAND_SHAPES
from realtime.core.plan import Plan
from realtime.core.primitives import Primitive
from realtime.core.units import FRAME_S

RAISE, HAND = CONTROL_INDEX["arm_raise"], CONTROL_INDEX["hand"]
CARD = HAND_SHAPES.index("card")


def frames(body: Body, begin_s: float, end_s: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array([body.offsets(t) for t in np.arange(begin_s, end_s, FRAME_S)])


def test_the_library_has_the_hands() -> None:
    wanted = {"point_left", "point_right", "point_up", "thumbs_up", "open_palms", "count_one", "count_two",
              "count_three", "show_product", "touch_chin", "put_down"}  # fmt: skip
    assert wanted <= set(PRIMITIVES)
    assert all(PRIMITIVES[name].needs_free_hand for name in wanted | {"wave", "greet"})
    assert not PRIMITIVES["nod"].needs_free_hand and PRIMITIVES["show_product"].holds == "product"


def test_a_product_stays_up_until_it_is_put_down() -> None:
    body = Body()
    assert body.begin("show_product", 1.0)
    assert frames(body, 2.4, 8.0)[:, RAISE].min() == 1.0 and body.holding(8.0) == "product"
    assert body.begin("nod", 4.0), "the head is free"
    assert body.begin("put_down", 8.0)
    after = frames(body, 8.0, 9.2)
    assert after[-1, RAISE] == 0.0 and after[-1, HAND] == 0.0 and body.holding(9.2) == ""
    assert np.abs(np.diff(after[:, RAISE])).max() < 0.25


def test_a_hand_that_holds_does_not_wave_before_it_is_free() -> None:
    body = Body()
    body.begin("show_product", 0.0)
    assert not body.begin("wave", 5.0), "it puts the product down first"
    path = frames(body, 5.0, 6.0)
    assert set(path[path[:, RAISE] > 0.05][:, HAND].tolist()) == {float(CARD)}
    assert body.begin("wave", 6.0) and body.gesture(6.5) == "wave" and body.holding(6.5) == ""


def test_what_is_held_is_not_held_for_ever() -> None:
    body, clip = Body(), primitive("show_product")
    body.begin("show_product", 0.0)
    assert body.holding(clip.hold_for_s) and not body.holding(clip.hold_for_s + clip.duration_s + 0.1)
    assert body.begin("wave", clip.hold_for_s + clip.duration_s + 0.1)


def test_showing_it_again_keeps_it_up() -> None:
    body, clip = Body(), primitive("show_product")
    body.begin("show_product", 0.0)
    assert body.begin("show_product", 15.0)
    assert frames(body, 14.0, 14.0 + clip.hold_for_s)[:, RAISE].min() == 1.0


def test_the_plan_says_that_it_puts_down_first_and_then_waves() -> None:
    plan = Plan(seed=1)
    assert plan.gesture("show_product", 0.0) == ("show_product",)
    for at in np.arange(0, 3, FRAME_S):
        plan.sample(float(at))
    assert plan.gesture("nod", 3.0) == ("nod",)
    assert plan.gesture("wave", 3.5) == ("put_down", "wave")
    poses = [plan.sample(float(at)).controls for at in np.arange(3.0, 8.0, FRAME_S)]
    lowered = next(i for i, pose in enumerate(poses) if pose["arm_raise"] < 0.02)
    assert all(pose["hand"] == CARD for pose in poses[: lowered - 1])
    waving = [pose for pose in poses[lowered:] if pose["arm_raise"] > 0.9]
    assert waving and {pose["hand"] for pose in waving} == {0.0}
    steps = np.abs(np.diff([pose["arm_raise"] for pose in poses]))
    assert steps.max() < 0.25, "no cut"


def test_a_clip_holds_within_itself() -> None:
    with pytest.raises(ValueError, match="holds within"):
        Primitive("x", "gesture", 1.0, {}, "", holds="thing", hold_at_s=2.0)
