"""What a viewer receives is labelled, carries a mark, and the mark's record says where the picture comes from."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.server_process import ServerProcess
from client.sdk import AnimaClient
from models.marks.label import label
from realtime.core.mark import MarkReader
from server.provenance import ProvenanceLog

pytestmark = pytest.mark.slow

PICTURES = 150
"""Six seconds: the first ones still pay off the keyframe."""


async def test_received_pictures_are_labelled_and_say_where_they_come_from(tmp_path: Path) -> None:
    records = tmp_path / "provenance.jsonl"
    settings = {"provenance_log": str(records), "ai_label": "top-left", "ai_label_language": "zh"}
    with ServerProcess(log=tmp_path / "server.log", settings=settings) as server:
        async with AnimaClient(server.url) as client, await client.create_session() as session:
            reader = MarkReader()
            seen = 0
            async with session.viewer() as viewer:
                async for frame in viewer.frames():
                    luma = frame.pixels[: frame.pixels.shape[0] * 2 // 3]
                    reader.feed(luma)
                    seen += 1
                    if reader.identity is not None or seen == PICTURES:
                        break
            assert reader.identity is not None, f"no mark in {seen} pictures, clarity {reader.clarity:.2f}"
            roi = label("zh", "top-left", 512, 512).roi
            corner = luma[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width].astype(int)
            beside = luma[roi.y + roi.height + 4 : roi.y + 2 * roi.height, roi.x : roi.x + roi.width].astype(int)
            assert corner.max() > 180 and corner.min() < 0.75 * float(np.median(beside))
            record = ProvenanceLog(records).find(reader.identity)
            assert record is not None and record["session"] == session.id
            assert record["avatar"] and record["source"].startswith("drawn by Anima's code") and record["models"]
    assert len(records.read_text("utf-8").splitlines()) == 1 and json.loads(records.read_text("utf-8"))
