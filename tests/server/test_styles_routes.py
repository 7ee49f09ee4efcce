"""Tests of `/v1/styles`, of a cue's `paint` and `style`, and of `anima style`."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from realtime.core.painting import PaintOrder, StyleInfo
from server.cli import main
from tests.models.diffusion.door.tiny import style_pack, tiny_painter
from tests.server.conftest import Bench

INFO = StyleInfo("ink", "Ink", "1.0", "A.", "mit", "sd-1.5", ("ink",), (0.2, 1.0), False, "it was made for sdxl")


async def test_styles_are_listed_with_the_reason_they_cannot_be_used(bench: Bench) -> None:
    status, answer = await bench.call("GET", "/v1/styles")
    assert status == 200 and answer == {"painter": False, "styles": []}
    bench.services.paints = SimpleNamespace(painter=SimpleNamespace(styles=lambda: [INFO]))
    status, answer = await bench.call("GET", "/v1/styles")
    assert answer["painter"] and answer["styles"][0]["reason"] == "it was made for sdxl"


async def test_a_cue_orders_a_painting(bench: Bench) -> None:
    session = await bench.session()
    body: dict[str, Any] = {"paint": {"region": "product", "prompt": "a lamp", "seed": 5}, "style": "ink"}
    status, _ = await bench.call("POST", f"/v1/sessions/{session.id}/cue", json=body)
    assert status == 202
    cue = session.calls[-1][1]
    assert cue.paint == PaintOrder("product", "a lamp", strength=1.0, seed=5) and cue.style == "ink"
    structured = {"subject": "a forest", "colour": "green", "negative_prompt": ["people"], "parameters": {"seed": 9}}
    body = {"paint": {"region": "background", "prompt": structured, "strength": 0.5}}
    await bench.call("POST", f"/v1/sessions/{session.id}/cue", json=body)
    assert session.calls[-1][1].paint == PaintOrder("background", "a forest, green", "people", 0.5, 9)


@pytest.mark.parametrize(
    ("paint", "field"),
    [
        ({"region": "sky", "prompt": "x"}, "paint.region"),
        ({"region": "product", "prompt": "  "}, "paint.prompt"),
        ({"region": "product", "prompt": {"style": "ink"}}, "paint.prompt.subject"),
        ({"region": "product", "prompt": "x", "strength": 0}, "paint.strength"),
        ({"region": "product", "prompt": "x", "seed": -1}, "paint.seed"),
    ],
)
async def test_a_wrong_order_names_its_field(bench: Bench, paint: dict[str, Any], field: str) -> None:
    session = await bench.session()
    status, answer = await bench.call("POST", f"/v1/sessions/{session.id}/cue", json={"paint": paint})
    assert status == 422 and answer["error"]["field"].startswith(field), answer


def test_packs_are_added_listed_and_inspected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place, shelf = style_pack(tmp_path / "from"), str(tmp_path / "shelf")
    painter = str(tiny_painter(tmp_path / "painter"))
    assert main(["style", "add", str(place), "--styles-dir", shelf]) == 0
    assert capsys.readouterr().out.strip().endswith("ink-wash")
    assert main(["style", "list", "--styles-dir", shelf, "--painter", painter]) == 0
    assert "usable" in capsys.readouterr().out
    assert main(["style", "list", "--json", "--styles-dir", shelf]) == 0
    assert "no painter" in json.loads(capsys.readouterr().out)[0]["reason"]
    assert main(["style", "inspect", "ink-wash", "--styles-dir", shelf]) == 0
    assert json.loads(capsys.readouterr().out)["models"][0]["trigger_keywords"] == ["ink wash"]
    assert main(["style", "inspect", str(place)]) == 0
    capsys.readouterr()
    (place / "ink.safetensors").write_bytes(b"x")
    assert main(["style", "inspect", str(place)]) == 1
    assert "no safetensors file" in capsys.readouterr().err
    assert main(["style", "add", str(tmp_path / "nowhere")]) == 2
