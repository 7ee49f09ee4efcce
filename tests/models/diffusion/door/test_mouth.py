"""Tests of mouth nets of MuseTalk's shape: what fits, what they hear, what they change in a patch."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.diffusion.door.hearing import WhisperFeatures
from models.diffusion.door.mouth import MouthNet, MouthRefiner, window
from realtime.core.errors import PackError
from realtime.core.facs import REST
from realtime.core.values import Patch, Pcm, Roi
from tests.models.diffusion.door.tiny import tiny_mouth

SOUND: Pcm = (np.sin(np.arange(16_000) * 0.2) * 9000).astype(np.int16)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mouth(tmp_path_factory.mktemp("mouth") / "tiny")


@pytest.fixture(scope="module")
def net(place: Path) -> MouthNet:
    return MouthNet(place)


def patches() -> tuple[Patch, Patch]:
    def grey(roi: Roi) -> Patch:
        return Patch(roi, np.full((roi.height * 3 // 2, roi.width), 120, np.uint8))

    return grey(Roi(0, 0, 64, 32)), grey(Roi(0, 64, 96, 64))


def test_features_are_those_around_a_time(place: Path) -> None:
    heard = WhisperFeatures(place / "whisper")
    assert heard.shape == (20, 16)
    middle = heard.around(SOUND, 0.5)
    assert middle.shape == (20, 16) and np.isfinite(middle).all() and middle.any()
    assert not heard.around(SOUND, 5.0).any(), "behind the end there is silence"
    begin = heard.around(SOUND, 0.0)
    assert not begin[:8].any() and begin[8:].any(), "and before the begin: four frames of two layers"
    later = heard.around(SOUND, 0.52)
    assert np.allclose(middle[2:], later[:-2]), "20 ms later everything has moved by one frame"


def test_the_mouth_follows_the_sound_and_its_border_stays(net: MouthNet) -> None:
    eyes, mouth = patches()
    made = MouthRefiner(net, lambda: (SOUND, 0.5)).refine((eyes, mouth), REST, 1, 0.02)
    assert made.steps == 1 and made.patches[0] is eyes
    luma = made.patches[1].pixels[:64]
    assert np.abs(luma[[0, -1]].astype(int) - 120).max() <= 1 and np.abs(luma[:, [0, -1]].astype(int) - 120).max() <= 1
    assert (np.abs(luma[20:44, 30:66].astype(int) - 120) > 3).any()
    silent = MouthRefiner(net, lambda: (np.zeros_like(SOUND), 0.5)).refine((eyes, mouth), REST, 1, 0.02)
    assert not (silent.patches[1].pixels == made.patches[1].pixels).all()


def test_silence_or_no_steps_leave_the_patches(net: MouthNet) -> None:
    both = patches()
    assert MouthRefiner(net, lambda: None).refine(both, REST, 2, 0.02).patches == both
    assert MouthRefiner(net, lambda: (SOUND, 0.1)).refine(both, REST, 0, 0.02).steps == 0


def test_a_net_that_fails_is_left_alone(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = MouthNet(place)
    with torch.no_grad():
        broken._unet.conv_out.weight.fill_(float("nan"))
    refiner, both = MouthRefiner(broken, lambda: (SOUND, 0.5)), patches()
    for _ in range(6):
        assert refiner.refine(both, REST, 1, 0.02).patches == both
    assert caplog.text.count("the mouth net failed") == 3


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="in_channels is 4"):
        MouthNet(tiny_mouth(tmp_path / "a", in_channels=4))
    with pytest.raises(PackError, match="16 numbers per token, the U-net wants 32"):
        MouthNet(tiny_mouth(tmp_path / "b", width=32))
    place = tiny_mouth(tmp_path / "c")
    (place / "musetalk.json").write_text("{}")
    with pytest.raises(PackError, match="convert it"):
        MouthNet(place)
    place = tiny_mouth(tmp_path / "d")
    config = json.loads((place / "unet" / "config.json").read_text())
    (place / "unet" / "config.json").write_text(json.dumps(config | {"block_out_channels": [8, 24]}))
    with pytest.raises(PackError, match="cannot be loaded|does not fit"):
        MouthNet(place)
    place = tiny_mouth(tmp_path / "e")
    (place / "whisper" / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(PackError, match="'bert', not a Whisper"):
        MouthNet(place)


def test_the_window_is_nothing_on_the_border_and_whole_inside() -> None:
    found = window(64, 96)
    assert not found[0].any() and not found[:, -1].any() and found[32, 48] == 1.0
