"""Tiny checkpoints as diffusers writes them: a painter, a LoRA, a net for the mouth; random weights, fixed seeds."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import diffusers
import torch
import yaml
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, WhisperConfig, WhisperModel

from models.diffusion.door.card import write_card

WIDTH = 32
DIFFUSERS: Any = diffusers
"""Its lazy package hides its types."""
WORDS = ("a", "red", "blue", "ink", "wash", "forest", "room", "jacket")


def tiny_painter(
    place: Path, in_channels: int = 4, scheduler: str = "lcm", text_width: int = WIDTH, unet_width: int = WIDTH
) -> Path:
    """An img2img (4) or inpainting (9) checkpoint of a few hundred kilobytes."""
    torch.manual_seed(0)
    _unet(in_channels, unet_width).save_pretrained(place / "unet")
    autoencoder().save_pretrained(place / "vae")
    _words(place / "tokenizer")
    config = CLIPTextConfig(
        vocab_size=3 + 512 + len(WORDS), hidden_size=text_width, intermediate_size=37, num_attention_heads=4,
        num_hidden_layers=2, max_position_embeddings=16, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    CLIPTextModel(config).save_pretrained(place / "text_encoder")
    chosen = DIFFUSERS.LCMScheduler()
    if scheduler == "euler":
        chosen = DIFFUSERS.EulerAncestralDiscreteScheduler(timestep_spacing="trailing")
    chosen.save_pretrained(place / "scheduler")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_name_or_path": "somebody/tiny-diffusion",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderTiny"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", type(chosen).__name__],
    }
    (place / "model_index.json").write_text(json.dumps(index))
    return place


def _unet(in_channels: int, width: int) -> Any:
    return DIFFUSERS.UNet2DConditionModel(
        in_channels=in_channels, out_channels=4, layers_per_block=1, block_out_channels=(8, 16), norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=width, attention_head_dim=4, sample_size=16,
    )  # fmt: skip


def autoencoder() -> Any:
    """Shrinks eight times, as the real one does."""
    sizes = {"encoder_block_out_channels": (8, 8, 8, 8), "decoder_block_out_channels": (8, 8, 8, 8)}
    return DIFFUSERS.AutoencoderTiny(
        num_encoder_blocks=(1, 1, 1, 1), num_decoder_blocks=(1, 1, 1, 1), latent_channels=4, **sizes
    )  # fmt: skip


def _words(place: Path) -> None:
    """CLIP's files: a vocabulary of the bytes, their word-final forms and a few words; no merges."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(one) for one in visible] + [chr(256 + index) for index in range(256 - len(visible))]
    names = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{one}</w>" for one in letters)]
    names += [f"{word}</w>" for word in WORDS if len(word) > 1]
    place.mkdir(parents=True)
    (place / "vocab.json").write_text(json.dumps({name: index for index, name in enumerate(names)}))
    (place / "merges.txt").write_text("#version: 0.2\n")
    (place / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 16, "pad_token": "<|endoftext|>"}))
    (place / "special_tokens_map.json").write_text(json.dumps({}))


def tiny_lora(path: Path, width: int = WIDTH, rank: int = 2, gain: float = 1.0) -> Path:
    """A LoRA on the keys of every cross attention of `tiny_painter`'s U-net, in diffusers' naming."""
    generator = torch.Generator().manual_seed(1)
    state = {}
    for name, module in _unet(4, width).named_modules():
        if name.endswith("attn2.to_k") or name.endswith("attn2.to_v"):
            out, inner = module.weight.shape
            state[f"unet.{name}.lora_A.weight"] = torch.randn((rank, inner), generator=generator) * gain
            state[f"unet.{name}.lora_B.weight"] = torch.randn((out, rank), generator=generator) * gain
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, path)
    return path


def style_pack(shelf: Path, name: str = "ink-wash", width: int = WIDTH, **changes: Any) -> Path:
    """A style pack that fits `tiny_painter`; `changes` go over what its `plugin.yaml` says."""
    place = shelf / name
    weights = tiny_lora(place / "ink.safetensors", width)
    model = {
        "path": "ink.safetensors", "sha256": sha256(weights.read_bytes()).hexdigest(), "trigger_keywords": ["ink wash"],
        "strength_range": [0.2, 1.0],
    }  # fmt: skip
    data = {
        "name": name, "version": "1.0.0", "author": "A. Painter", "license": "apache-2.0", "type": "style-lora",
        "models": [model | changes.pop("model", {})],
        "dependencies": {"base_model": "tiny-diffusion", "required_modules": ["peft"]},
    }  # fmt: skip
    (place / "plugin.yaml").write_text(yaml.safe_dump(data | changes))
    return place



def tiny_mouth(place: Path, in_channels: int = 8, width: int = 16, heard_width: int = 16) -> Path:
    """A net of MuseTalk's shape with its autoencoder and a Whisper encoder."""
    torch.manual_seed(0)
    _unet(in_channels, width).save_pretrained(place / "unet")
    autoencoder().save_pretrained(place / "vae")
    config = WhisperConfig(
        vocab_size=20, d_model=heard_width, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, pad_token_id=0, bos_token_id=1,
        eos_token_id=2, decoder_start_token_id=1,
    )  # fmt: skip
    WhisperModel(config).save_pretrained(place / "whisper")
    write_card(place, "tiny mouth", "made by a test", 128)
    return place
