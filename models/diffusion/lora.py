"""LoRA on the denoiser's convolutions, through PEFT: make one, load one, take it off."""

from pathlib import Path
from typing import Any, Final

from peft import LoraConfig
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file, save_file
from torch import nn

from models.diffusion.net import RoiDenoiser

TARGETS: Final = r".*\.(first|second)"
"""Convolutions of the residual blocks: where identity and style are kept."""


def lora_config(rank: int, alpha: int | None = None) -> LoraConfig:
    """An adapter of this rank for every block's convolutions; `alpha` defaults to the rank."""
    return LoraConfig(r=rank, lora_alpha=alpha if alpha is not None else rank, target_modules=TARGETS)


def add_lora(net: RoiDenoiser, name: str, rank: int, alpha: int | None = None) -> list[nn.Parameter]:
    """Put a fresh adapter on the net and make it the active one; its parameters, the only ones to train. A fresh
    adapter changes nothing."""
    net.add_adapter(lora_config(rank, alpha), adapter_name=name)
    chosen = []
    for key, parameter in net.named_parameters():
        parameter.requires_grad_("lora_" in key and f".{name}." in key)
        if parameter.requires_grad:
            chosen.append(parameter)
    return chosen


def save_lora(net: RoiDenoiser, name: str, path: Path) -> None:
    """Write one adapter's weights as safetensors."""
    state = {key: value.contiguous() for key, value in get_peft_model_state_dict(net, adapter_name=name).items()}
    save_file(state, path)


def load_lora(net: RoiDenoiser, name: str, path: Path, rank: int, alpha: int | None = None) -> None:
    """Put a written adapter on the net and make it the active one. Raises `ValueError` where it does not fit."""
    net.add_adapter(lora_config(rank, alpha), adapter_name=name)
    result: Any = set_peft_model_state_dict(net, load_file(path), adapter_name=name)
    if result.unexpected_keys:
        raise ValueError(f"{path}: {result.unexpected_keys[0]} does not belong to this net")
    net.set_adapter(name)
