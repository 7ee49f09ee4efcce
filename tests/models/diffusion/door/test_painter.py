"""Tests of the painter: what is loaded and refused, what a brush changes and leaves, styles put on and off, turns."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.diffusion.door.checkpoint import load_checkpoint
from models.diffusion.door.desk import Desk
from models.diffusion.door.files import digest_of, inside, shapes
from models.diffusion.door.packs import StylePack, read_pack
from models.diffusion.door.studio import Studio
from models.diffusion.door.styles import RoiStyles, check_fit
from models.diffusion.lora import add_lora, save_lora
from models.diffusion.net import RoiDenoiser
from realtime.core.errors import InvalidField, PackError
from realtime.core.painting import PaintOrder, Progress, Rgb
from tests.models.diffusion.door.tiny import style_pack, tiny_painter

ORDER = PaintOrder("background", "a red forest", seed=3)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_painter(tmp_path_factory.mktemp("painter") / "tiny")


@pytest.fixture(scope="module")
def desk(place: Path) -> Desk:
    return Desk(place)


@pytest.fixture
def pack(tmp_path: Path) -> StylePack:
    return read_pack(style_pack(tmp_path))


def grey(side: int = 128) -> Rgb:
    return np.full((side, side, 3), 120, np.uint8)


def painted(desk: Desk, order: PaintOrder = ORDER, style: StylePack | None = None) -> Rgb:
    chosen = np.zeros((8, 8), np.bool_)
    chosen[2:5, 3:6] = True
    (found,) = [piece for piece in desk.paint(order, style, grey(), chosen) if piece is not None]
    return found.rgb


@pytest.mark.parametrize(("channels", "scheduler"), [(4, "lcm"), (9, "lcm"), (4, "euler")])
def test_only_chosen_tiles_change(tmp_path: Path, channels: int, scheduler: str) -> None:
    desk = Desk(tiny_painter(tmp_path / "tiny", channels, scheduler))
    assert desk.checkpoint.inpaints == (channels == 9) and desk.checkpoint.factor == 8
    found = painted(desk)
    assert not (found[32:80, 48:96] == 120).all()
    found[32:80, 48:96] = 120
    assert (found == 120).all()


def test_the_same_order_paints_the_same_and_words_and_seed_matter(desk: Desk) -> None:
    first = painted(desk)
    assert (first == painted(desk)).all()
    for other in (
        PaintOrder("background", "a blue room", seed=3), PaintOrder("background", "a red forest", seed=4),
        PaintOrder("background", "a red forest", "blue", seed=3),
        PaintOrder("background", "a red forest", strength=0.3, seed=3),
    ):  # fmt: skip
        assert not (first == painted(desk, other)).all()


def test_work_comes_in_small_pieces(desk: Desk) -> None:
    chosen = np.ones((20, 20), np.bool_)
    pieces = list(desk.paint(ORDER, None, grey(320), chosen))
    windows = [piece for piece in pieces if piece is not None]
    assert len(windows) == 4 and len(pieces) == 1 + 4 * (1 + desk.checkpoint.steps + 1)


def test_a_style_goes_on_and_off_between_pieces(desk: Desk, pack: StylePack) -> None:
    plain = painted(desk)
    strong = painted(desk, style=pack)
    weak = painted(desk, PaintOrder("background", "a red forest", seed=3, style_strength=0.2), pack)
    assert desk.rack.worn is not None
    apart = np.abs(strong.astype(int) - plain).sum(), np.abs(weak.astype(int) - plain).sum()
    assert apart[0] > apart[1] > 0
    assert (painted(desk) == plain).all() and desk.rack.worn is None


def test_a_style_for_a_wider_model_is_refused_and_leaves_no_trace(desk: Desk, tmp_path: Path) -> None:
    plain = painted(desk)
    wide = read_pack(style_pack(tmp_path, width=64))
    with pytest.raises(PackError, match="wide here and 64 in the style"):
        painted(desk, style=wide)
    foreign = style_pack(tmp_path / "foreign")
    tensors = {"unet.mid_block.nowhere.lora_A.weight": torch.zeros(2, 32)}
    save_file(tensors, foreign / "ink.safetensors")
    with pytest.raises(PackError, match="has no layer mid_block.nowhere"):
        check_fit(desk.checkpoint.unet, foreign / "ink.safetensors")
    assert (painted(desk) == plain).all()


def test_styles_of_our_own_net(tmp_path: Path) -> None:
    torch.manual_seed(1)
    net = RoiDenoiser(widths=(8, 8, 8), control_width=8, reference_width=8)
    place = style_pack(tmp_path, dependencies={"base_model": "anima-roi"})
    parameters = add_lora(net, "made", 2)
    with torch.no_grad():
        for parameter in parameters:
            parameter.normal_()
    save_lora(net, "made", place / "ink.safetensors")
    old = next(line for line in (place / "plugin.yaml").read_text().splitlines() if "sha256" in line)
    text = (place / "plugin.yaml").read_text().replace(old.split(":")[1].strip(), digest_of(place / "ink.safetensors"))
    (place / "plugin.yaml").write_text(text)
    fresh = RoiDenoiser(widths=(8, 8, 8), control_width=8, reference_width=8)
    rack = RoiStyles(fresh)
    rack.wear(read_pack(place), 0.5)
    scales = {module.scaling[name] for module in fresh.modules() for name in getattr(module, "scaling", {})}
    assert scales == {0.5}
    rack.wear(None)
    wrong = read_pack(style_pack(tmp_path / "wrong"))
    with pytest.raises(PackError, match="made for another one"):
        rack.wear(wrong)


@pytest.mark.parametrize(
    ("part", "key", "value", "words"),
    [
        ("unet/config.json", "in_channels", 8, "8 input channels"),
        ("unet/config.json", "addition_embed_type", "text_time", "SDXL"),
        ("unet/config.json", "cross_attention_dim", 48, "cannot be loaded|does not fit"),
        ("model_index.json", "scheduler", ["diffusers", "PNDMScheduler"], "taken are LCMScheduler"),
        ("model_index.json", "text_encoder_2", ["transformers", "CLIPTextModelWithProjection"], "SDXL"),
        ("model_index.json", "vae", "x", "names no vae"),
    ],
)
def test_foreign_checkpoints_are_refused_in_words(
    tmp_path: Path, part: str, key: str, value: object, words: str
) -> None:
    place = tiny_painter(tmp_path / "tiny")
    data = json.loads((place / part).read_text())
    (place / part).write_text(json.dumps(data | {key: value}))
    with pytest.raises(PackError, match=words):
        load_checkpoint(place)


def test_parts_that_do_not_fit_one_another_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="gives 64 numbers per word, the U-net wants 32"):
        load_checkpoint(tiny_painter(tmp_path / "tiny", text_width=64))


def test_pickles_and_missing_files_are_refused(tmp_path: Path) -> None:
    place = tiny_painter(tmp_path / "tiny")
    weights = place / "vae" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(PackError, match="as a pickle"):
        load_checkpoint(place)
    with pytest.raises(PackError, match="no directory"):
        load_checkpoint(tmp_path / "nowhere")
    (place / "model_index.json").write_text("[]")
    with pytest.raises(PackError, match="holds no object"):
        load_checkpoint(place)


def test_paths_stay_inside(tmp_path: Path) -> None:
    assert inside(tmp_path, "a/b.safetensors") == tmp_path.resolve() / "a" / "b.safetensors"
    for name in ("", "../x", "/x", "a/../../x", "a\\b", "x\0"):
        with pytest.raises(PackError):
            inside(tmp_path, name)
    (tmp_path / "huge.safetensors").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(PackError, match="its header would have"):
        shapes(tmp_path / "huge.safetensors")


class Told:
    """Keeps what a studio tells, and waits for it."""

    def __init__(self) -> None:
        self.all: list[Progress] = []
        self.ended = threading.Event()

    def __call__(self, progress: Progress) -> None:
        self.all.append(progress)
        if progress.state != "painting":
            self.ended.set()


def test_orders_take_turns_and_wait_while_frames_need_the_machine(place: Path, tmp_path: Path) -> None:
    studio = Studio(place, tmp_path / "styles", ("apache-2.0",), share=1.0)
    pressed = threading.Event()
    first, second = Told(), Told()
    asked: list[int] = []

    def waits() -> bool:
        asked.append(1)
        return pressed.is_set()

    chosen = np.ones((4, 4), np.bool_)
    studio.begin(ORDER, grey(64), chosen, first, waits)
    studio.begin(ORDER, grey(64), chosen, second, lambda: True)
    assert second.ended.wait(30) and not first.all and asked
    pressed.set()
    assert first.ended.wait(30)
    assert [one.state for one in first.all] == ["painting", "done"]
    studio.close()
    with pytest.raises(RuntimeError):
        studio.begin(ORDER, grey(64), chosen, first, waits)


def test_a_cancelled_order_paints_no_further(place: Path, tmp_path: Path) -> None:
    studio, told = Studio(place, tmp_path, (), share=1.0), Told()
    go = threading.Event()
    job = studio.begin(ORDER, grey(64), np.ones((4, 4), np.bool_), told, go.is_set)
    job.cancel()
    go.set()
    assert told.ended.wait(30) and [one.state for one in told.all] == ["cancelled"] and job.pieces == 0
    studio.close()


def test_a_style_that_may_not_be_used_is_refused(place: Path, tmp_path: Path) -> None:
    style_pack(tmp_path / "styles", license="gpl-3.0")
    studio = Studio(place, tmp_path / "styles", ("apache-2.0",))
    with pytest.raises(InvalidField, match="licence gpl-3.0"):
        studio.check(PaintOrder("background", "a forest", style="ink-wash"))
    (listed,) = studio.styles()
    assert not listed.usable
    studio.close()


def test_numbers_that_are_not_finite_fail_in_words(place: Path, tmp_path: Path) -> None:
    studio, told = Studio(place, tmp_path, (), share=1.0), Told()
    studio.load()
    assert studio.broken == ""
    with torch.no_grad():
        studio._desk.checkpoint.unet.conv_out.weight.fill_(float("nan"))
    studio.begin(ORDER, grey(64), np.ones((4, 4), np.bool_), told, lambda: True)
    assert told.ended.wait(30)
    assert told.all[-1].state == "failed" and "ArithmeticError" in told.all[-1].message
    studio.close()
