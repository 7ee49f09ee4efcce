"""What ships: graphs that compute what torch does, INT8 close to them, hashes that fit."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from models.diffusion.calibrate import SHALLOW, WHOLE, calibration_feeds, quantise_onnx
from models.diffusion.export import beats_base, export_onnx
from models.diffusion.net import RoiDenoiser
from models.diffusion.train.evaluate import Quality
from tests.models.diffusion.fake_source import FakeSource
from tests.models.diffusion.test_net import tiny


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[RoiDenoiser, Path]:
    net, path = tiny(), tmp_path_factory.mktemp("onnx")
    export_onnx(net, path)
    quantise_onnx(net, path, [FakeSource().clip(seed, "mouth", 2) for seed in range(3)], "flow")
    return net, path


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("crop", ["mouth", "eyes"])
def test_onnx_computes_what_torch_does(exported: tuple[RoiDenoiser, Path], crop: str) -> None:
    net, path = exported
    feed = list(calibration_feeds(net, [FakeSource().clip(9, crop, 2)], "flow"))[1]
    with torch.inference_mode():
        wanted = net(*(torch.from_numpy(feed[name]) for name in ("picture", "control", "level", "reference")))
    image, deep = session(path / "roi.onnx").run(["image", "deep"], {name: feed[name] for name in WHOLE})
    assert np.allclose(image, wanted.image.numpy(), atol=1e-4)
    assert np.allclose(deep, wanted.deep.numpy(), atol=1e-4)
    (shallow,) = session(path / "roi_shallow.onnx").run(["image"], {name: feed[name] for name in SHALLOW})
    assert np.allclose(shallow, image, atol=1e-4)


def test_int8_is_close_and_its_border_exact(exported: tuple[RoiDenoiser, Path]) -> None:
    net, path = exported
    feed = list(calibration_feeds(net, [FakeSource().clip(2, "mouth", 2)], "flow"))[0]
    given = {name: feed[name] for name in WHOLE}
    (exact,) = session(path / "roi.onnx").run(["image"], given)
    (rounded,) = session(path / "roi_int8.onnx").run(["image"], given)
    assert float(np.abs(exact - rounded).mean()) < 0.02
    assert np.array_equal(exact[..., 0, :], rounded[..., 0, :])


def test_reference_features_are_the_nets(exported: tuple[RoiDenoiser, Path]) -> None:
    net, path = exported
    rest = np.random.default_rng(1).uniform(-1, 1, (1, 3, 96, 128)).astype(np.float32)
    (found,) = session(path / "reference.onnx").run(["reference"], {"rest": rest})
    with torch.inference_mode():
        assert np.allclose(found, net.encode_reference(torch.from_numpy(rest)).numpy(), atol=1e-4)


def test_equal_weights_give_equal_files(tmp_path: Path) -> None:
    digests = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        export_onnx(tiny(), tmp_path / name)
        digests.append(sha256((tmp_path / name / "roi.onnx").read_bytes()).hexdigest())
    assert digests[0] == digests[1]


def test_a_net_that_loses_to_its_base_anywhere_is_not_called_better() -> None:
    base, better = Quality(25, 15, 0.8, 0.05, 1, 5), Quality(27, 18, 0.9, 0.04, 1, 4)
    worse = Quality(24, 18, 0.9, 0.04, 1, 4)
    assert beats_base({"mouth": {"base": base, "one_step": better}})
    assert not beats_base({"mouth": {"base": base, "one_step": better}, "eyes": {"base": base, "one_step": worse}})
