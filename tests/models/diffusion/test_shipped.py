"""The weights that come with Anima: whole, small, told of in their card, and better than what they repair."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.diffusion.data.sample import RoiClip, Split
from models.diffusion.head3d.source import CLIPS_OF_ONE, Head3dSource
from models.diffusion.refiner_engine import FAILED, open_engine
from models.diffusion.runtime.choose import open_onnx
from models.diffusion.runtime.judge import figures, rollout
from models.diffusion.runtime.weights import CARD, SHIPPED, Weights, open_weights
from models.diffusion.train.config import load_config

PERSON_NOT_JUDGED = 40
"""Nobody of this number was looked at when the weights were judged."""
MAX_BYTES = 16 * 2**20
CONFIGS = SHIPPED.parent.parent / "configs"


@pytest.fixture(scope="module")
def weights() -> Weights:
    return open_weights(SHIPPED)


@pytest.fixture(scope="module")
def clip() -> RoiClip:
    return Head3dSource().clip(PERSON_NOT_JUDGED * CLIPS_OF_ONE, "mouth", 4, Split.HELD_OUT)


def test_every_file_is_small_and_named_in_the_card(weights: Weights) -> None:
    files = {path.name for path in SHIPPED.iterdir()}
    assert files == {*weights.card["files"], CARD, "config.json", "README.md"}
    assert all((SHIPPED / name).stat().st_size <= MAX_BYTES for name in files)


def test_the_card_says_how_they_were_made(weights: Weights) -> None:
    card = weights.card
    assert {"licence", "seed", "steps", "history", "held_out", "improves", "judged", "int8_loss_db"} <= card.keys()
    trained = load_config(CONFIGS / Path(str(card["command"]).split()[-1]).name)
    assert (trained.name, trained.seed, trained.tilt_deg) == (
        card["name"], card["config"]["seed"], card["config"]["tilt_deg"],
    )  # fmt: skip
    assert sum(stage.steps for stage in trained.stages) == card["steps"]
    assert "/tmp" not in json.dumps(card) and card["judged"]["portrait"]["mouth_1"]["seam"] < 1.05


def test_they_are_used_without_a_setting(weights: Weights) -> None:
    engine, about = open_engine("auto")
    assert engine is not None and weights.name in about and "portrait (mouth)" in about
    engine.close()


def test_the_base_install_can_run_them() -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(('torch', 'diffusers', 'onnx', 'mediapipe')));"
        "from models.diffusion.refiner_engine import open_engine; sys.exit(open_engine('auto')[0] is None)"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=120).returncode == 0


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_they_bring_an_unknown_face_nearer_to_its_truth(weights: Weights, clip: RoiClip, precision: str) -> None:
    runtime = open_onnx(weights, precision, "cpu")  # type: ignore[arg-type]
    try:
        found = figures([clip], [rollout(runtime, weights.objective, clip, 1)])
    finally:
        runtime.close()
    assert found.interior_gain_db > 1.0 and found.psnr_gain_db > 0.5 and found.ssim_gain > 0.0


def test_one_bit_too_many_and_the_host_is_shown_as_drawn(tmp_path: Path) -> None:
    place = shutil.copytree(SHIPPED, tmp_path / "roi")
    data = bytearray((place / "roi_int8.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (place / "roi_int8.onnx").write_bytes(data)
    engine, about = open_engine(str(place))
    assert engine is None and about.startswith(FAILED) and "roi_int8.onnx" in about
