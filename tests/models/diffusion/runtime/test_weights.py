"""Weights that are missing, corrupt or foreign are refused with what is wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from models.diffusion.refiner_engine import FAILED, open_engine
from models.diffusion.runtime.weights import open_weights
from realtime.core.errors import WeightsError
from tests.models.diffusion.runtime.made import signed


def _truncate(place: Path) -> None:
    path = place / "roi_int8.onnx"
    path.write_bytes(path.read_bytes()[:-100])


def _garbage(place: Path) -> None:
    (place / "roi.onnx").write_bytes(b"no graph")
    (place / "roi_int8.onnx").write_bytes(b"no graph")
    signed(place, improves={"portrait": {"mouth": {}}})


def _another_model(place: Path) -> None:
    (place / "config.json").write_text('{"_class_name": "UNet2DConditionModel"}', "utf-8")


def _other_channels(place: Path) -> None:
    config = json.loads((place / "config.json").read_text("utf-8"))
    (place / "config.json").write_text(json.dumps(config | {"picture_channels": 9}), "utf-8")


def _climbing(place: Path) -> None:
    card = json.loads((place / "model_card.json").read_text("utf-8"))
    card["files"]["../../secret"] = {"sha256": ""}
    (place / "model_card.json").write_text(json.dumps(card), "utf-8")


BROKEN: list[tuple[Callable[[Path], object], str]] = [
    (_truncate, "sha256"),
    (_garbage, "cannot be loaded"),
    (_another_model, "another model"),
    (_other_channels, "picture_channels is 9"),
    (_climbing, "no plain file name"),
    (lambda place: (place / "model_card.json").write_text("[1]", "utf-8"), "JSON object"),
    (lambda place: (place / "model_card.json").write_bytes(b"\xff\x00"), "cannot be read"),
    (lambda place: (place / "model_card.json").write_text("{}", "utf-8"), "`files`"),
    (lambda place: (place / "reference.onnx").unlink(), "missing"),
    (lambda place: shutil.rmtree(place), "is missing"),
]


@pytest.mark.parametrize(("spoil", "words"), BROKEN)
def test_what_is_wrong_is_said_and_there_is_no_engine(
    place: Path, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    own = tmp_path / "weights"
    shutil.copytree(place, own)
    spoil(own)
    engine, about = open_engine(str(own))
    assert engine is None and about.startswith(FAILED) and words in about


def test_whole_weights_open(place: Path) -> None:
    weights = open_weights(place)
    assert weights.name == "tiny" and weights.int8_pays and not weights.improves
    with pytest.raises(WeightsError):
        open_weights(place / "nowhere")


def test_a_card_decides_what_weights_are_used_for(place: Path, tmp_path: Path) -> None:
    own = tmp_path / "weights"
    shutil.copytree(place, own)
    engine, about = open_engine(str(own))
    assert engine is not None and engine.kinds == {"portrait": {"mouth", "eyes"}} and "tiny" in about
    signed(own, improves={"illustrated": {"mouth": {"psnr_gain_db": 1.0}}, "portrait": {}}, int8_loss_db=0.9)
    engine, about = open_engine(str(own))
    assert engine is not None and engine.kinds == {"illustrated": {"mouth"}} and engine.runtime.name == "onnx fp32 cpu"


def test_off_is_off() -> None:
    assert open_engine("off") == (None, "off")
