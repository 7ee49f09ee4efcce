"""Hot swap of style LoRAs (Hu et al. 2022): on a painter's U-net through diffusers, on our ROI net through PEFT."""

import re
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

from diffusers import StableDiffusionPipeline
from peft.utils import set_peft_model_state_dict
from safetensors.torch import load_file

from models.diffusion.door.files import shapes
from models.diffusion.door.packs import StylePack
from models.diffusion.lora import load_lora, lora_config
from models.diffusion.net import RoiDenoiser
from realtime.core.errors import PackError

KEPT: Final = 4
"""Styles whose weights stay loaded; the one that was worn longest ago makes room."""


class StyleRack:
    """The styles of one U-net. Not safe for threads: used where the U-net is used."""

    def __init__(self, unet: Any) -> None:
        self._unet = unet
        self._loaded: OrderedDict[str, int] = OrderedDict()
        self._worn: tuple[str, float] | None = None

    @property
    def worn(self) -> tuple[str, float] | None:
        """The style that the U-net has on, and how strong."""
        return self._worn

    def wear(self, pack: StylePack | None, strength: float = 1.0) -> None:
        """Put a style on, or all off; between two steps of a session this takes milliseconds once it is loaded. Raises
        `PackError` where its weights do not fit, with the U-net as it was."""
        wish = None if pack is None else (_tag(pack), pack.clamp(strength))
        if wish == self._worn:
            return
        if pack is None or wish is None:
            self._unet.disable_lora()
            self._worn = None
            return
        if wish[0] not in self._loaded:
            self._load(pack, wish[0])
        self._loaded.move_to_end(wish[0])
        parts = [f"{wish[0]}_{index}" for index in range(self._loaded[wish[0]])]
        self._unet.set_adapters(parts, [wish[1]] * len(parts))
        self._unet.enable_lora()
        self._worn = wish

    def _load(self, pack: StylePack, tag: str) -> None:
        done: list[str] = []
        worn = self._worn
        try:
            for index, path in enumerate(pack.weights()):
                check_fit(self._unet, path)
                done.append(f"{tag}_{index}")
                state, alphas, *_ = StableDiffusionPipeline.lora_state_dict(
                    str(path.parent), weight_name=path.name, use_safetensors=True, local_files_only=True
                )
                prefix = "unet" if any(key.startswith("unet.") for key in state) else None
                self._unet.load_lora_adapter(state, prefix=prefix, network_alphas=alphas, adapter_name=done[-1])
        except Exception as error:
            self._forget([name for name in done if name in getattr(self._unet, "peft_config", {})])
            self._restore(worn)
            if isinstance(error, PackError):
                raise
            raise PackError(f"the style {pack.plugin.name} cannot be put on: {str(error).splitlines()[0]}") from error
        self._loaded[tag] = len(done)
        while len(self._loaded) > KEPT:
            oldest, count = self._loaded.popitem(last=False)
            self._forget([f"{oldest}_{index}" for index in range(count)])

    def _restore(self, worn: tuple[str, float] | None) -> None:
        if worn is not None:
            parts = [f"{worn[0]}_{index}" for index in range(self._loaded[worn[0]])]
            self._unet.set_adapters(parts, [worn[1]] * len(parts))
        elif getattr(self._unet, "peft_config", None):
            self._unet.disable_lora()

    def _forget(self, names: list[str]) -> None:
        if names:
            self._unet.delete_adapters(names)


def check_fit(unet: Any, path: Path) -> None:
    """Every matrix of a LoRA in diffusers' or PEFT's naming belongs to a layer here and has its width. Kohya's flat
    names are left to diffusers' own conversion. Raises `PackError`."""
    layers = dict(unet.named_modules())
    for key, shape in shapes(path).items():
        match = re.fullmatch(r"(?:unet\.)?(.+?)\.(?:lora_A|lora\.down|lora_B|lora\.up)(?:\.default)?\.weight", key)
        if match is None or key.startswith(("text_encoder", "lora_unet_", "lora_te")):
            continue
        layer = layers.get(match[1])
        weight = getattr(getattr(layer, "base_layer", layer), "weight", None)
        if weight is None:
            raise PackError(f"{path.name}: the U-net has no layer {match[1]}: made for another base model")
        down = "lora_A" in key or "lora.down" in key
        has, wants = (shape[1], weight.shape[1]) if down else (shape[0], weight.shape[0])
        if has != wants:
            raise PackError(
                f"{path.name}: {match[1]} is {wants} wide here and {has} in the style: made for another base model"
            )


class RoiStyles:
    """Styles of our own ROI net; `base_model` of such a pack is `anima-roi`."""

    def __init__(self, net: RoiDenoiser) -> None:
        self._net = net
        self._loaded: set[str] = set()

    def wear(self, pack: StylePack | None, strength: float = 1.0) -> None:
        """Put a style on, or all off. Raises `PackError` where its weights do not fit, with the net as it was."""
        if pack is None:
            if self._loaded:
                self._net.disable_adapters()
            return
        tag = _tag(pack)
        if tag not in self._loaded:
            self._load(pack, tag)
        self._net.enable_adapters()
        self._net.set_adapter(tag)
        for module in self._net.modules():
            if tag in getattr(module, "scaling", {}):
                # PEFT keeps alpha / rank per adapter; packs are written with alpha equal to rank
                module.scaling[tag] = pack.clamp(strength)  # type: ignore[operator,index]  # a LoRA layer's dictionary

    def _load(self, pack: StylePack, tag: str) -> None:
        (path,) = pack.weights()[:1]
        found = shapes(path)
        ranks = {shape[0] for name, shape in found.items() if ".lora_A." in name}
        layers = dict(self._net.named_modules())
        for name, shape in found.items():
            layer = layers.get(re.sub(r"\.lora_[AB]\.weight$", "", name))
            weight = getattr(getattr(layer, "base_layer", layer), "weight", None)
            side = 1 if ".lora_A." in name else 0
            if weight is None or shape[side] != weight.shape[side]:
                raise PackError(f"{path.name}: {name} does not fit this net: the style was made for another one")
        if len(ranks) != 1:
            raise PackError(f"{path.name}: one rank is wanted, it has {sorted(ranks)}")
        if self._loaded:
            self._net.add_adapter(lora_config(ranks.pop()), adapter_name=tag)
            set_peft_model_state_dict(self._net, load_file(path), adapter_name=tag)
        else:
            load_lora(self._net, tag, path, ranks.pop())
        self._loaded.add(tag)


def _tag(pack: StylePack) -> str:
    """A name that PEFT takes: the pack's, with its content's hash, so that a changed pack is another style."""
    return f"{pack.plugin.name.replace('-', '_')}_{pack.plugin.models[0].sha256[:8]}"
