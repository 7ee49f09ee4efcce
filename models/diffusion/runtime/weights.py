"""A directory of weights and its model card: read, checked against its hashes and against this version's net."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from models.diffusion.spec import CONTROL_LENGTH, PICTURE_CHANNELS, NetSpec
from realtime.core.errors import WeightsError

CARD: Final = "model_card.json"
CONFIG: Final = "config.json"
TENSORS: Final = "diffusion_pytorch_model.safetensors"
SHIPPED: Final = Path(__file__).resolve().parent.parent / "weights" / "roi"
"""Where the weights lie that come with Anima, if any do."""
INT8_LOSS_DB: Final = 0.5
"""INT8 graphs that lose more than this are not taken by themselves."""
_CARD_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Weights that may be loaded: every file was found to be what the card says."""

    directory: Path
    card: Mapping[str, Any]
    spec: NetSpec

    @property
    def name(self) -> str:
        """The training's name."""
        return str(self.card.get("name", self.directory.name))

    @property
    def objective(self) -> str:
        """`flow`, the few-step denoiser, or `regressor`."""
        return str(self.card.get("objective", "flow"))

    @property
    def improves(self) -> Mapping[str, frozenset[str]]:
        """By kind of avatar, which crops of its pictures were found to get better; empty where nothing was found."""
        found = self.card.get("improves")
        return {str(k): frozenset(map(str, v)) for k, v in found.items() if v} if isinstance(found, dict) else {}

    @property
    def int8_pays(self) -> bool:
        """Whether 8-bit graphs are there and, as far as that was measured, hardly worse."""
        lost = self.card.get("int8_loss_db", 0.0)
        return self.path("roi_int8.onnx").exists() and isinstance(lost, int | float) and lost <= INT8_LOSS_DB

    @property
    def shallow(self) -> bool:
        """Whether a second step may take over the first one's deep features: faster, if the card says it is as good."""
        return self.card.get("shallow_second_step") is True and self.path("roi_shallow.onnx").exists()

    @property
    def steps(self) -> int:
        """How many steps a frame are worth their time; two, unless the card says that one is as good."""
        return 1 if self.card.get("steps_that_pay") == 1 else 2

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of all that decides what the net gives: the files and how they are used."""
        files = {str(name): about["sha256"] for name, about in self.card["files"].items()}
        told = [sorted(files.items()), self.objective, self.shallow, self.steps]
        return sha256(json.dumps(told).encode()).hexdigest()[:16]

    def path(self, name: str) -> Path:
        """One of the files."""
        return self.directory / name


def open_weights(directory: Path) -> Weights:
    """Read the card and check everything it names. Raises `WeightsError` saying which file is wrong and why."""
    card = _json(directory / CARD)
    config = _json(directory / CONFIG)
    spec = _spec(directory / CONFIG, config)
    files = card.get("files")
    if not isinstance(files, dict) or not files:
        raise WeightsError(f"{directory / CARD}: `files` must map the files' names to their size and sha256")
    for name, about in files.items():
        _checked(directory, str(name), about)
    if not {"roi.onnx", "reference.onnx"} <= files.keys():
        raise WeightsError(f"{directory / CARD}: `files` must name roi.onnx and reference.onnx")
    return Weights(directory, card, spec)


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _CARD_BYTES:
            raise WeightsError(f"{path}: more than {_CARD_BYTES} bytes: this is no card of ours")
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error}"
        raise WeightsError(f"the denoiser's weights: {path} {reason}") from error
    if not isinstance(data, dict):
        raise WeightsError(f"{path}: must hold a JSON object")
    return data


def _spec(path: Path, config: Mapping[str, Any]) -> NetSpec:
    if config.get("_class_name") != "RoiDenoiser":
        raise WeightsError(
            f"{path}: `_class_name` is {config.get('_class_name')!r}: these weights are of another model"
        )
    for name, wanted in (("picture_channels", PICTURE_CHANNELS), ("control_length", CONTROL_LENGTH)):
        if config.get(name) != wanted:
            raise WeightsError(f"{path}: {name} is {config.get(name)!r}, this version's net takes {wanted}")
    try:
        return NetSpec(
            str(config["name"]), int(config["s2d"]), tuple(config["widths"]), tuple(config["blocks"]),
            int(config["control_width"]), int(config["reference_width"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: not a description of this net: {error}") from error


def _checked(directory: Path, name: str, about: object) -> None:
    if Path(name).name != name:
        raise WeightsError(f"{directory / CARD}: {name!r} is no plain file name")
    try:
        data = (directory / name).read_bytes()
    except OSError as error:
        raise WeightsError(f"the denoiser's weights: {directory / name} is missing or cannot be read") from error
    if not isinstance(about, dict) or sha256(data).hexdigest() != about.get("sha256"):
        raise WeightsError(f"{directory / name}: its sha256 is not that of the model card: corrupt or foreign")
