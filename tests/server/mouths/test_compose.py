"""The setting `mouth_net`: what a wrong folder says at the start, and that nothing is loaded where it is not set."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models.diffusion.door.card import CARD, write_card
from realtime.core.errors import ConfigError
from server import doctor
from server.config import Config
from server.loading import load
from server.mouths import compose
from server.mouths.compose import mouths
from tests.fakes import FlatAvatar
from tests.models.diffusion.door.tiny import tiny_mouth


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_mouth(tmp_path_factory.mktemp("mouth") / "tiny")


def test_without_the_setting_nothing_is_loaded() -> None:
    script = (
        "import sys\nimport server.compose\nfrom server.config import Config\n"
        "from server.mouths.compose import mouths\n"
        "made = mouths(Config()); assert not made.notices(); made.close()\n"
        "print(sorted({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_folder_that_fits_is_used_and_told(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        made = mouths(Config(mouth_net=place))
    try:
        assert "mouth net: tiny mouth on cpu" in caplog.text and "licence: made by a test" in caplog.text
        assert not made.notices() and made.of(FlatAvatar()) is None
    finally:
        made.close()


def test_a_device_that_is_too_slow_is_said_once_at_the_start(
    place: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.diffusion.door.mouthpiece import Mouthpiece

    monkeypatch.setattr(Mouthpiece, "_tried", lambda self: 3.0)
    mouths(Config(mouth_net=place)).close()
    assert "takes 3000 ms a mouth on cpu and a frame has 40 ms: mouths stay as they are drawn" in caplog.text


@pytest.mark.parametrize("what", ["nowhere", "empty", "channels", "changed", "missing", "cut"])
def test_what_is_wrong_stops_the_start_and_names_setting_and_file(tmp_path: Path, what: str) -> None:
    place = tmp_path / "net"
    weights = place / "unet" / "diffusion_pytorch_model.safetensors"
    said = "unet/diffusion_pytorch_model.safetensors"
    if what == "empty":
        place.mkdir()
        said = f"{CARD} is missing"
    elif what == "nowhere":
        said = "there is no directory"
    else:
        tiny_mouth(place, in_channels=4 if what == "channels" else 8)
    if what == "channels":
        said = "in_channels is 4, a mouth net of MuseTalk's shape has 8"
    if what == "changed":
        weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    if what == "missing":
        weights.unlink()
    if what == "cut":
        weights.write_bytes(weights.read_bytes()[:-100])
        write_card(place, "tiny", "of a test", 128)
        said = "cut short"
    config = load({"mouth_net": str(place)}, {})
    with pytest.raises(ConfigError, match=r"mouth_net \(flag --mouth-net\): ") as caught:
        mouths(config)
    assert said in str(caught.value) and str(place) in str(caught.value)


def test_a_net_that_gives_no_numbers_stops_the_start(tmp_path: Path) -> None:
    import diffusers
    import torch

    place = tiny_mouth(tmp_path / "net")
    kind: Any = diffusers
    unet = kind.UNet2DConditionModel.from_pretrained(place / "unet")
    with torch.no_grad():
        unet.conv_out.weight.fill_(float("nan"))
    unet.save_pretrained(place / "unet")
    write_card(place, "tiny", "of a test", 128)
    with pytest.raises(ConfigError, match="tiny does not work: the net gives numbers that are not finite"):
        mouths(Config(mouth_net=place))


def test_packages_that_are_not_installed_are_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "NEEDED", ("torch", "no_such_package"))
    with pytest.raises(ConfigError, match="mouth_net .* needs no_such_package: install the extra `diffusion`"):
        mouths(Config(mouth_net=place))


def test_the_doctor_tells_of_it(place: Path, tmp_path: Path) -> None:
    assert doctor.mouth_net(Config()).detail == "off"
    assert doctor.mouth_net(Config(mouth_net=place)).result == "ok"
    wrong = doctor.mouth_net(Config(mouth_net=tmp_path))
    assert wrong.result == "failure" and CARD in wrong.detail and "--mouth-net" in wrong.remedy


def test_the_card_of_a_test_is_a_card(place: Path) -> None:
    assert set(json.loads((place / CARD).read_text())) == {"format", "name", "licence", "face_px", "files"}
