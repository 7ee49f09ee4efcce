"""The net: what it gives untrained, what conditions it, how it is kept, and LoRA on it."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.diffusion.lora import add_lora, load_lora, save_lora
from models.diffusion.net import RoiDenoiser
from models.diffusion.spec import CONTROL_LENGTH, CROPS, PICTURE_CHANNELS, PICTURE_INDEX, SIZES, NetSpec

TINY = NetSpec("tiny", 4, (16, 24, 32), (1, 1, 1), control_width=16, reference_width=8)
Inputs = tuple[Tensor, Tensor, Tensor, Tensor]


def tiny(trained: bool = True) -> RoiDenoiser:
    torch.manual_seed(5)
    net: RoiDenoiser = RoiDenoiser.of(TINY)
    net.eval()
    if trained:
        with torch.no_grad():
            net.head.weight.normal_(0, 0.05)
    return net


def inputs(net: RoiDenoiser, crop: str = "mouth", count: int = 2) -> Inputs:
    generator = torch.Generator().manual_seed(1)
    width, height = CROPS[crop].width, CROPS[crop].height
    picture = torch.rand((count, PICTURE_CHANNELS, height, width), generator=generator) * 2 - 1
    control = torch.rand((count, CONTROL_LENGTH), generator=generator)
    rest = torch.rand((count, 3, height, width), generator=generator)
    with torch.no_grad():
        return picture, control, torch.full((count, 1), 0.55), net.encode_reference(rest)


def base_of(picture: Tensor) -> Tensor:
    return picture[:, PICTURE_INDEX["base_r"] : PICTURE_INDEX["base_b"] + 1]


@pytest.mark.parametrize("crop", ["mouth", "eyes", "face"])
def test_an_untrained_net_gives_the_base(crop: str) -> None:
    net = tiny(trained=False)
    given = inputs(net, crop)
    with torch.inference_mode():
        assert torch.equal(net(*given).image, base_of(given[0]))


def test_the_border_is_the_bases_whatever_the_weights() -> None:
    net = tiny()
    given = inputs(net)
    with torch.inference_mode():
        change = net(*given).image - base_of(given[0])
    assert float(change.abs().max()) > 0.05
    for edge in (change[..., 0, :], change[..., -1, :], change[..., 0], change[..., -1]):
        assert not edge.any()


def test_controls_level_and_reference_all_matter() -> None:
    net = tiny()
    picture, control, level, reference = inputs(net)
    with torch.inference_mode():
        image = net(picture, control, level, reference).image
        assert not torch.equal(image, net(picture, control + 1, level, reference).image)
        assert not torch.equal(image, net(picture, control, level * 0.5, reference).image)
        assert not torch.equal(image, net(picture, control, level, reference + 1).image)


def test_a_shallow_refresh_with_its_own_deep_features_gives_the_same() -> None:
    net = tiny()
    picture, control, level, reference = inputs(net)
    with torch.inference_mode():
        whole = net(picture, control, level, reference)
        again = net(picture, control, level, None, whole.deep)
    assert torch.equal(whole.image, again.image)
    with pytest.raises(ValueError, match="reference"):
        net(picture, control, level, None)


def test_the_sizes_are_what_the_design_says() -> None:
    counts = {name: sum(p.numel() for p in RoiDenoiser.of(size).parameters()) for name, size in SIZES.items()}
    assert 2.0e6 < counts["S"] < 3.5e6
    assert 5.0e6 < counts["M"] < 7.0e6


def test_weights_come_back_from_disk(tmp_path: Path) -> None:
    net = tiny()
    net.save_pretrained(tmp_path)
    back = RoiDenoiser.from_pretrained(tmp_path).eval()
    assert back.spec == net.spec
    given = inputs(net)
    with torch.inference_mode():
        assert torch.equal(net(*given).image, back(*given).image)


def test_lora_changes_nothing_at_first_then_learns_and_comes_back(tmp_path: Path) -> None:
    net = tiny()
    given = inputs(net)
    with torch.inference_mode():
        plain = net(*given).image
    trained = add_lora(net, "style", rank=2)
    with torch.inference_mode():
        assert torch.allclose(net(*given).image, plain, atol=1e-6)
    optimiser = torch.optim.SGD(trained, lr=1.0)
    for _ in range(2):
        optimiser.zero_grad()
        net(*given).image.square().mean().backward()
        optimiser.step()
    with torch.inference_mode():
        styled = net(*given).image
    assert not torch.allclose(styled, plain, atol=1e-5)
    save_lora(net, "style", tmp_path / "style.safetensors")
    other = tiny()
    load_lora(other, "style", tmp_path / "style.safetensors", rank=2)
    with torch.inference_mode():
        assert torch.allclose(other(*given).image, styled, atol=1e-6)
        other.disable_adapters()
        assert torch.allclose(other(*given).image, plain, atol=1e-6)


def test_only_the_adapter_is_trained() -> None:
    net = tiny()
    trained = add_lora(net, "style", rank=2)
    assert {name for name, p in net.named_parameters() if p.requires_grad} == {
        name for name, p in net.named_parameters() if "lora_" in name
    }
    assert len(trained) == 2 * 2 * 5
