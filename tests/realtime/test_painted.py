"""Tests of an avatar before a picture that changes: what is blended, what is kept, what is drawn anew."""

import numpy as np

from realtime.core.composite import compose
from realtime.core.facs import REST, Controls
from realtime.core.matte import pack
from realtime.core.painting import Canvas, Tiles, Window, tiles_of
from realtime.core.values import I420, BaseKey, Patch, Region, Roi
from realtime.painted import PRODUCT, PaintedAvatar
from realtime.stock import Stock

SIDE = 64
ALPHA = np.zeros((SIDE, SIDE), np.uint8)
ALPHA[16:, 16:48] = 255
ALPHA[16:, 12:16] = 120


class Cutout:
    """A grey body with a soft edge in packed pictures; its mouth is inside the body, its arm is not."""

    name = "cutout"
    width = SIDE
    height = 2 * SIDE
    MOUTH, ARM = Roi(24, 32, 16, 8), Roi(40, 32, 24, 16)

    def __init__(self) -> None:
        self.drawn = 0

    def base_key(self, controls: Controls) -> BaseKey:
        return (round(controls["yaw"]),)

    def base(self, key: BaseKey) -> I420 | None:
        return None

    def render_base(self, key: BaseKey) -> I420:
        self.drawn += 1
        colours = np.full((SIDE * 3 // 2, SIDE), 128, np.uint8)
        colours[:SIDE] = np.rint(16 + ALPHA / 255 * (140 + key[0]))
        return pack(colours, ALPHA)

    def regions(self, key: BaseKey, controls: Controls) -> tuple[Region, ...]:
        return Region("lower", self.MOUTH, ("lower", key)), Region("arm", self.ARM, ("arm", key))

    def draw(self, base: I420, key: BaseKey, controls: Controls, region: Region) -> Patch:
        assert base.shape == (SIDE * 3, SIDE) and len(key) == 1
        roi = region.roi
        pixels = np.full((roi.height * 3 // 2, roi.width), 128, np.uint8)
        if region.name == "arm":
            half = np.full((roi.height, roi.width), 126, np.uint8)
            pixels[: roi.height] = 60
            return Patch(roi, pixels, matte=half)
        pixels[: roi.height] = 90
        return Patch(roi, pixels)

    def displacement_px(self, region: str, before: Controls, after: Controls) -> float:
        return 1.5


def canvas() -> Canvas:
    rgb = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    return Canvas(rgb)


def put(target: Canvas, chosen: Tiles, level: int) -> None:
    window = Window(0, 0, target.size[0], target.size[1], chosen)
    target.put(tiles_of(window, target.rgb, np.full_like(target.rgb, level)))


def picture(avatar: PaintedAvatar, key: BaseKey) -> I420:
    base = avatar.base(key)
    base = avatar.render_base(key) if base is None else base
    patches = [avatar.draw(base, key, REST, region) for region in avatar.regions(key, REST)]
    return compose(base, patches, np.empty_like(base))


def test_the_canvas_shows_where_the_host_is_not() -> None:
    behind, avatar = canvas(), None
    avatar = PaintedAvatar(Stock(Cutout()), behind)
    assert (avatar.width, avatar.height) == (SIDE, SIDE)
    base = avatar.render_base(avatar.base_key(REST))
    assert (base[:16] == behind.i420[:16]).all()
    assert (base[16:SIDE, 16:48] == 156).all()
    edge = base[16:SIDE, 12:16].astype(float)
    wanted = 16 + 120 / 255 * 140 + (behind.i420[16:SIDE, 12:16] - 16.0) * (135 / 255)
    assert np.abs(edge - wanted).max() <= 1.5


def test_a_changed_tile_is_blended_and_no_other_and_the_cutout_is_not_drawn_again() -> None:
    behind, drawn = canvas(), Cutout()
    avatar = PaintedAvatar(Stock(drawn), behind)
    before_key = avatar.base_key(REST)
    before = avatar.render_base(before_key)
    chosen = np.zeros((4, 4), np.bool_)
    chosen[0, 1] = True
    put(behind, chosen, 40)
    key = avatar.base_key(REST)
    assert key != before_key
    after = avatar.base(key)
    assert after is not None and drawn.drawn == 1 and avatar.tiles_blended == 1
    assert avatar.base(key) is after, "kept until the next tile"
    apart = (before != after)[:SIDE]
    assert apart[:16, 16:32].any()
    apart[:16, 16:32] = False
    assert not apart.any()
    fresh = PaintedAvatar(Stock(Cutout()), behind)
    assert (fresh.render_base(fresh.base_key(REST)) == after).all()


def test_regions_lie_over_the_canvas_and_are_drawn_anew_when_it_changes_behind_them() -> None:
    behind = canvas()
    avatar = PaintedAvatar(Stock(Cutout()), behind)
    key = avatar.base_key(REST)
    whole = picture(avatar, key)
    assert (whole[32:40, 24:40] == 90).all(), "the mouth is inside the body: nothing shows through"
    arm = whole[32:48, 48:64].astype(float)
    wanted = 60 + (behind.i420[32:48, 48:64] - 16.0) * ((235 - 126) / 219)
    assert np.abs(arm - wanted).max() <= 1.0
    keys = {region.name: region.key for region in avatar.regions(key, REST)}
    chosen = np.zeros((4, 4), np.bool_)
    chosen[2, 3] = True
    put(behind, chosen, 10)
    again = {region.name: region.key for region in avatar.regions(avatar.base_key(REST), REST)}
    assert again["arm"] != keys["arm"] and again["lower"] == keys["lower"]


def test_a_product_appears_in_front_tile_by_tile() -> None:
    avatar = PaintedAvatar(Stock(Cutout()), canvas())
    product = Canvas(np.full((32, 32, 3), 238, np.uint8))
    avatar.present(Roi(16, 16, 32, 32), product)
    key = avatar.base_key(REST)
    assert PRODUCT not in [region.name for region in avatar.regions(key, REST)]
    put(product, np.array([[True, False], [False, False]]), 0)
    region = avatar.regions(key, REST)[-1]
    assert region.name == PRODUCT and avatar.displacement_px(PRODUCT, REST, REST) == 0.0
    shown = picture(avatar, key)
    assert (shown[16:32, 16:32] == 16).all() and (shown[16:32, 32:48] == 156).all()


def test_other_clothes_are_another_picture() -> None:
    avatar = PaintedAvatar(Stock(Cutout()), canvas())
    key = avatar.base_key(REST)
    avatar.render_base(key)
    avatar.dress(Stock(Cutout()))
    assert avatar.base_key(REST) != key and avatar.base(avatar.base_key(REST)) is None
