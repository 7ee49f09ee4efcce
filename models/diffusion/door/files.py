"""What may be read of a directory with weights: JSON of bounded size, safetensors with a sound header, nothing else.

A pickle runs code when it is opened, so none ever is: weights that exist as `.bin`, `.pt` or `.ckpt` are refused."""

import json
import struct
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from realtime.core.errors import PackError

MAX_JSON_BYTES: Final = 4 * 2**20
MAX_HEADER_BYTES: Final = 100 * 2**20
PICKLES: Final = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_ITEM_BYTES: Final = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1, "U16": 2,
    "U32": 4, "U64": 8, "F8_E4M3": 1, "F8_E5M2": 1,
}  # fmt: skip


def first_line(error: Exception, most_chars: int = 300) -> str:
    """What an error of a library says, for a message of ours."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:most_chars]


def read_json(path: Path) -> dict[str, Any]:
    """An object from a JSON file. Raises `PackError` that names the file."""
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise PackError(f"{path}: larger than {MAX_JSON_BYTES} bytes")
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise PackError(f"{path} is missing") from None
    except (OSError, ValueError) as error:
        raise PackError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise PackError(f"{path} holds no object")
    return found


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The tensors' shapes by name, from the header alone, with the file's length checked against it.

    Raises `PackError` where it is no whole safetensors file."""
    if path.suffix != ".safetensors":
        raise PackError(f"{path.name}: weights are read from .safetensors only, never from pickles")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise ValueError(f"its header would have {length} bytes")
            header = json.loads(file.read(length))
        found, end = _tensors(header)
    except FileNotFoundError:
        raise PackError(f"{path} is missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise PackError(f"{path} is no safetensors file: {error}") from error
    if end != size - 8 - length:
        raise PackError(f"{path} is cut short or has something behind it: {size} bytes, {8 + length + end} expected")
    return found


def _tensors(header: dict[str, Any]) -> tuple[dict[str, tuple[int, ...]], int]:
    found, end = {}, 0
    for name, about in header.items():
        if name == "__metadata__":
            continue
        shape = tuple(int(side) for side in about["shape"])
        begin, stop = about["data_offsets"]
        count = 1
        for side in shape:
            count *= side
        if about["dtype"] in _ITEM_BYTES and stop - begin != count * _ITEM_BYTES[about["dtype"]]:
            raise ValueError(f"{name} has {stop - begin} bytes for shape {shape}")
        found[name], end = shape, max(end, stop)
    return found, end


def weights_in(place: Path) -> Path:
    """The safetensors file of one part of a diffusers or transformers directory. Raises `PackError`."""
    for name in ("diffusion_pytorch_model", "model"):
        for variant in ("", ".fp16"):
            path = place / f"{name}{variant}.safetensors"
            if path.is_file():
                shapes(path)
                return path
    if any(one.suffix in PICKLES for one in place.glob("*")):
        raise PackError(f"{place} holds its weights as a pickle; convert them to safetensors (docs/painted.md)")
    raise PackError(f"{place} holds no diffusion_pytorch_model.safetensors or model.safetensors")


def variant_of(path: Path) -> str | None:
    """The variant in a weight file's name, as `from_pretrained` wants it."""
    return "fp16" if path.name.endswith(".fp16.safetensors") else None


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        found = sha256()
        while part := file.read(2**20):
            found.update(part)
    return found.hexdigest()


def inside(root: Path, name: str) -> Path:
    """A file of a pack by its relative name. Raises `PackError` for one that lies, or links, outside."""
    if not name or "\\" in name or "\0" in name or Path(name).is_absolute() or ".." in Path(name).parts:
        raise PackError(f"{name!r} is no path inside the pack")
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise PackError(f"{name!r} leads out of the pack")
    return path
