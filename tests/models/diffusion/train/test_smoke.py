"""The smoke training that ships, from nothing, on the real renderer."""

from pathlib import Path

import pytest

from models.diffusion.net import RoiDenoiser
from models.diffusion.train.config import load_config
from models.diffusion.train.legs import leg

CONFIG = Path(__file__).resolve().parents[4] / "models" / "diffusion" / "configs" / "roi_smoke.yaml"


@pytest.mark.slow
def test_the_smoke_training_completes_and_leaves_a_net(tmp_path: Path) -> None:
    config, lines = load_config(CONFIG), list[str]()
    for _ in range(4):
        if leg(config, tmp_path / "run", tmp_path / "cache", 540.0, lines.append):
            break
    else:
        pytest.fail("not complete after four legs")
    assert RoiDenoiser.from_pretrained(tmp_path / "run" / "net").spec.name == "S"
    assert any(line.startswith("consistency") or line.startswith("flow") for line in lines)
