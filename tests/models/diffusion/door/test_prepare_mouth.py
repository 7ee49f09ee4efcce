"""What MuseTalk ships, in small, becomes a folder that can be used."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from models.diffusion.door.card import read_card
from models.diffusion.door.hearing import around
from models.diffusion.door.mouth import MouthNet
from models.diffusion.door.prepare_mouth import main, prepare
from realtime.core.errors import PackError
from tests.models.diffusion.door.tiny import DIFFUSERS, tiny_mouth


def shipped(place: Path) -> Path:
    """`musetalk.json` and a pickle of the U-net, an autoencoder and a Whisper model in folders beside."""
    tiny = tiny_mouth(place / "tiny")
    unet = DIFFUSERS.UNet2DConditionModel.from_pretrained(tiny / "unet")
    (place / "musetalk").mkdir()
    config = json.loads((tiny / "unet" / "config.json").read_text())
    (place / "musetalk" / "musetalk.json").write_text(json.dumps(config | {"sample_size": 64}))
    torch.save(unet.state_dict(), place / "musetalk" / "unet.pth")
    sizes = {"block_out_channels": (8, 8, 8, 8), "norm_num_groups": 4, "latent_channels": 4}
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    DIFFUSERS.AutoencoderKL(**sizes, **blocks).save_pretrained(place / "sd-vae")
    shutil.copytree(tiny / "whisper", place / "whisper")
    return place


def test_what_is_shipped_becomes_a_net_that_speaks(tmp_path: Path) -> None:
    place = shipped(tmp_path)
    out = tmp_path / "out"
    given = ["--unet", str(place / "musetalk"), "--vae", str(place / "sd-vae"), "--whisper", str(place / "whisper")]
    assert main([*given, "--licence", "creativeml-openrail-m", "--full", str(out)]) == 0
    card = read_card(out)
    assert (card.name, card.licence, card.face_px) == ("MuseTalk", "creativeml-openrail-m", 256)
    net = MouthNet(out)
    sound = around(net.features.encode(np.zeros(16_000, np.int16)), 0.5)
    assert net.speak(np.full((256, 256, 3), 90, np.uint8), sound).shape == (256, 256, 3)
    assert main([*given, "--licence", "x", str(out)]) == 1, "what is there is not written over"
    prepare(place / "musetalk", place / "sd-vae", place / "whisper", tmp_path / "half", "x", name="half")
    sizes = [(one / "unet" / "diffusion_pytorch_model.safetensors").stat().st_size for one in (out, tmp_path / "half")]
    assert sizes[1] < 0.7 * sizes[0]


def test_what_does_not_fit_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = shipped(tmp_path)
    rest = (place / "sd-vae", place / "whisper", tmp_path / "out", "x")
    with pytest.raises(PackError, match=r"neither musetalk.json nor config.json"):
        prepare(tmp_path / "none", *rest, name="x")
    config = json.loads((place / "musetalk" / "musetalk.json").read_text())
    (place / "musetalk" / "musetalk.json").write_text(json.dumps(config | {"in_channels": 4}))
    with pytest.raises(PackError, match="in_channels is 4, MuseTalk's nets have 8"):
        prepare(place / "musetalk", *rest, name="x")
    (place / "musetalk" / "musetalk.json").write_text(json.dumps(config | {"cross_attention_dim": 24}))
    with pytest.raises(PackError, match=r"unet.pth cannot be loaded"):
        prepare(place / "musetalk", *rest, name="x")
    (place / "musetalk" / "musetalk.json").write_text(json.dumps(config))
    with pytest.raises(PackError, match="cannot be loaded"):
        prepare(place / "musetalk", tmp_path / "none", *rest[1:], name="x")
    assert not (tmp_path / "out").exists()


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    place = shipped(tmp_path)

    class Harm:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (eval, ("__import__('pathlib').Path('harmed').touch()",))

    torch.save({"conv_in.weight": Harm()}, place / "musetalk" / "unet.pth")
    with pytest.raises(PackError, match="cannot be loaded"):
        prepare(place / "musetalk", place / "sd-vae", place / "whisper", tmp_path / "out", "x", name="x")
    assert not Path("harmed").exists()
