"""INT8 graphs: ranges of activations are taken from rollouts over training clips, weights are rounded per channel."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from models.diffusion.data.sample import RoiClip
from models.diffusion.net import RoiDenoiser
from models.diffusion.spec import NOISE_SCALE, STEPS, window
from models.diffusion.train.batches import collate
from models.diffusion.train.rollout import carried, no_previous

Feed = dict[str, NDArray[np.float32]]

WHOLE: Final = ("picture", "control", "level", "reference", "window")
SHALLOW: Final = ("picture", "control", "level", "deep", "window")


class _Feeds(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, feeds: Iterator[Feed]) -> None:
        self._feeds = feeds

    def get_next(self) -> Feed | None:
        return next(self._feeds, None)


def quantise_onnx(net: RoiDenoiser, directory: Path, clips: Sequence[RoiClip], objective: str) -> None:
    """Write `roi_int8.onnx` and `roi_shallow_int8.onnx` beside the FP32 graphs. The convolution that makes the picture
    stays exact: its rounding would be seen."""
    feeds = list(calibration_feeds(net, clips, objective))
    for name, inputs in (("roi", WHOLE), ("roi_shallow", SHALLOW)):
        path = directory / f"{name}.onnx"
        graph: Any = onnx.load(str(path)).graph
        exact = [node.name for node in graph.node if _makes_picture(node, graph)]
        rounded = directory / f"{name}_int8.onnx"
        quantize_static(
            str(path), str(rounded),
            _Feeds({key: feed[key] for key in inputs} for feed in feeds),
            quant_format=QuantFormat.QDQ, per_channel=True, activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8, op_types_to_quantize=["Conv", "Add", "Relu"], nodes_to_exclude=exact,
            calibrate_method=CalibrationMethod.MinMax, extra_options={"WeightSymmetric": True},
        )  # fmt: skip
        _keep_base(rounded)


def _keep_base(path: Path) -> None:
    """The base is cut out of the input as it came, not as the first convolution sees it."""
    model: Any = onnx.load(str(path))
    for node in model.graph.node:
        if node.op_type == "Slice" and node.input[0].startswith("picture"):
            node.input[0] = "picture"
    onnx.save(model, str(path))


def _makes_picture(node: Any, graph: Any) -> bool:
    """The last convolution, and the sum with the base, which has to leave the border as it is."""
    if "image" in node.output:
        return True
    shuffled = (user for user in graph.node if user.op_type == "DepthToSpace")
    return node.op_type == "Conv" and any(node.output[0] in user.input for user in shuffled)


def calibration_feeds(net: RoiDenoiser, clips: Sequence[RoiClip], objective: str) -> Iterator[Feed]:
    """Inputs of the graphs as the stream gives them, two frames of each clip: one cold, one warm."""
    generator = torch.Generator().manual_seed(0)
    for clip in clips:
        batch = collate([clip.samples[:2]])
        with torch.inference_mode():
            reference = net.encode_reference(batch.reference)
            output = batch.base[0]
            for index, level in ((0, STEPS[2]), (1, STEPS[0])):
                previous = no_previous(batch, 0) if index == 0 else carried(batch, 1, output)
                base = batch.base[index]
                t = 1.0 if objective == "regressor" else level
                noise = torch.randn(base.shape, generator=generator)
                noisy = (1 - t) * previous.picture + t * (base + NOISE_SCALE * noise)
                picture = torch.cat(
                    [base if objective == "regressor" else noisy, base, previous.picture, previous.valid,
                     batch.fields[index], batch.place], 1,
                )  # fmt: skip
                found = net(picture, batch.control[index], torch.full((1, 1), t), reference)
                output = found.image
                _, _, height, width = picture.shape
                yield {
                    "picture": picture.numpy(), "control": batch.control[index].numpy(),
                    "level": np.full((1, 1), t, np.float32), "reference": reference.numpy(),
                    "deep": found.deep.numpy(), "window": window(width, height)[None, None],
                }  # fmt: skip
