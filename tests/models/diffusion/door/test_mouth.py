"""Tests of mouth nets of MuseTalk's shape: what fits, what they hear, what they make of it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from models.diffusion.door.card import CARD, read_card, write_card
from models.diffusion.door.hearing import WhisperFeatures, around
from models.diffusion.door.mouth import MouthNet
from realtime.core.errors import PackError
from realtime.core.values import Pcm
from tests.models.diffusion.door.loud import BRIGHT, DARK, FACE_PX, loud_mouth, noise
from tests.models.diffusion.door.tiny import tiny_mouth

SOUND: Pcm = (np.sin(np.arange(16_000) * 0.2) * 9000).astype(np.int16)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mouth(tmp_path_factory.mktemp("mouth") / "tiny")


def carded(place: Path) -> Path:
    """A folder that was changed, with a card that fits again."""
    write_card(place, "tiny mouth", "made by a test", 128)
    return place


def test_features_are_those_around_a_time(place: Path) -> None:
    heard = WhisperFeatures(place / "whisper")
    assert heard.shape == (20, 16)
    frames = heard.encode(SOUND)
    assert frames.shape == (50, 2, 16)
    middle = around(frames, 0.5)
    assert middle.shape == (20, 16) and np.isfinite(middle).all() and middle.any()
    assert not around(frames, 5.0).any(), "behind the end there is nothing"
    begin = around(frames, 0.0)
    assert not begin[:8].any() and begin[8:].any(), "and before the begin: four frames of two layers"
    later = around(frames, 0.52)
    assert np.allclose(middle[2:], later[:-2]), "20 ms later everything has moved by one frame"


def test_a_stretch_is_heard_as_with_half_a_minute_of_silence_behind_it(place: Path) -> None:
    heard = WhisperFeatures(place / "whisper")
    whole = np.concatenate([SOUND, np.zeros(29 * 16_000, np.int16)])
    short, long = heard.encode(SOUND), heard.encode(whole)
    # the last frames differ: a window that reaches over the end sees the sound mirrored there
    assert np.allclose(short[:45], long[:45], atol=2e-2)


def test_what_is_heard_does_not_depend_on_what_was_heard_before(place: Path) -> None:
    heard = WhisperFeatures(place / "whisper")
    first = heard.encode(SOUND)
    heard.encode(noise(22_400))
    assert np.array_equal(heard.encode(SOUND), first)


def test_the_mouth_is_the_sounds_at_its_time(tmp_path: Path) -> None:
    net = MouthNet(loud_mouth(tmp_path / "loud"))
    frames = net.features.encode(np.concatenate([np.zeros(8000, np.int16), noise(8000), np.zeros(6400, np.int16)]))
    face = np.full((FACE_PX, FACE_PX, 3), 120, np.uint8)
    greys = {at_s: float(net.speak(face, around(frames, at_s)).mean()) for at_s in np.arange(0.0, 1.4, 0.04)}
    bright = [at_s for at_s, grey in greys.items() if abs(grey - BRIGHT) < abs(grey - DARK)]
    assert 0.44 <= bright[0] <= 0.52 and 0.92 <= bright[-1] <= 1.0
    assert len(bright) == len([at_s for at_s in greys if bright[0] <= at_s <= bright[-1]])


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="in_channels is 4"):
        MouthNet(tiny_mouth(tmp_path / "a", in_channels=4))
    with pytest.raises(PackError, match="16 numbers per token, the U-net wants 32"):
        MouthNet(tiny_mouth(tmp_path / "b", width=32))
    place = tiny_mouth(tmp_path / "d")
    config = json.loads((place / "unet" / "config.json").read_text())
    (place / "unet" / "config.json").write_text(json.dumps(config | {"block_out_channels": [8, 24]}))
    with pytest.raises(PackError, match="cannot be loaded|does not fit"):
        MouthNet(carded(place))
    place = tiny_mouth(tmp_path / "e")
    (place / "whisper" / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(PackError, match="'bert', not a Whisper"):
        MouthNet(carded(place))
    place = tiny_mouth(tmp_path / "f")
    write_card(place, "tiny", "of a test", 100)
    with pytest.raises(PackError, match="face_px is 100, these nets take multiples of 16"):
        MouthNet(place)


def test_the_card_names_every_file_and_knows_it(tmp_path: Path) -> None:
    place = tiny_mouth(tmp_path / "a")
    assert read_card(place).name == "tiny mouth"
    weights = place / "unet" / "diffusion_pytorch_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-4] + b"\0\0\0\1")
    with pytest.raises(PackError, match=r"unet/diffusion_pytorch_model.safetensors is not the file that mouth_net"):
        read_card(place)
    weights.unlink()
    with pytest.raises(PackError, match=r"unet/diffusion_pytorch_model.safetensors is missing"):
        read_card(place)
    weights.write_bytes(whole)
    save_file({"more": torch.zeros(1)}, place / "vae" / "other.safetensors")
    with pytest.raises(PackError, match=r"names no digest of vae/other.safetensors"):
        read_card(place)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"format": 2}, "format is 2, read is 1"),
        ({"name": ""}, "name is a text"),
        ({"name": "a\nb"}, "name is a text"),
        ({"licence": None}, "licence is a text"),
        ({"face_px": 20}, "face_px is a whole number, 64 to 1024"),
        ({"files": []}, "files gives each"),
        ({"files": {"../secret": "0"}}, "no path inside|names no digest"),
    ],
)
def test_a_card_that_makes_no_sense_is_refused(tmp_path: Path, wrong: dict[str, object], said: str) -> None:
    place = tiny_mouth(tmp_path / "a")
    data = json.loads((place / CARD).read_text())
    (place / CARD).write_text(json.dumps(data | wrong))
    with pytest.raises(PackError, match=said):
        read_card(place)


def test_a_folder_that_is_none_or_musetalks_own_is_said(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="there is no directory"):
        read_card(tmp_path / "none")
    with pytest.raises(PackError, match=r"mouth_net.json is missing"):
        read_card(tmp_path)
    (tmp_path / "unet.pth").write_bytes(b"")
    with pytest.raises(PackError, match=r"convert it first \(docs/mouth_net.md\)"):
        read_card(tmp_path)
