"""Training curves: a CSV that grows leg by leg, and a picture of it."""

import csv
import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np

COLUMNS: Final = ("stage", "step", "seconds", "loss", "error", "base", "temporal", "adversarial")
_SIZE_PX: Final = (900, 420)
_EDGE_PX: Final = 50


class Curves:
    """Means over some steps, written as rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sums: defaultdict[str, float] = defaultdict(float)
        self._count = 0
        self._at: tuple[str, int, float] = ("", 0, 0.0)

    def add(self, stage: str, step: int, seconds: float, found: Mapping[str, float]) -> None:
        """Take in one step."""
        if self._count and stage != self._at[0]:
            self.flush()
        self._at = stage, step, seconds
        self._count += 1
        for name, value in found.items():
            self._sums[name] += value

    def flush(self) -> str:
        """Write a row of the steps since the last one; the row in words."""
        if not self._count:
            return ""
        means = {name: value / self._count for name, value in self._sums.items()}
        self._sums.clear()
        self._count = 0
        stage, step, seconds = self._at
        row: dict[str, object] = {"stage": stage, "step": step, "seconds": round(seconds, 1)}
        row |= {name: f"{value:.6g}" for name, value in means.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow(row)
        gain = f" {decibels(means['error']):.2f} dB (base {decibels(means['base']):.2f})" if "error" in means else ""
        return f"loss {means['loss']:.4f}{gain} {seconds:.0f} s"

    def draw(self, path: Path) -> None:
        """Peak signal to noise ratio of outputs and bases over steps, as a PNG; nothing before the first row."""
        self.flush()
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["error"]]
        width, height = _SIZE_PX
        picture = np.full((height, width, 3), 255, np.uint8)
        if rows:
            steps = np.array([float(row["step"]) for row in rows])
            lines = {n: np.array([decibels(float(row[n])) for row in rows]) for n in ("error", "base")}
            every = np.concatenate(list(lines.values()))
            low, high = float(np.floor(every.min())), float(np.ceil(every.max()))
            x = _EDGE_PX + (width - 2 * _EDGE_PX) * (steps - steps[0]) / max(1.0, steps[-1] - steps[0])
            for name, color in (("base", (170, 170, 170)), ("error", (180, 80, 20))):
                y = height - _EDGE_PX - (height - 2 * _EDGE_PX) * (lines[name] - low) / max(1e-6, high - low)
                points = np.rint(np.column_stack([x, y])).astype(np.int32)
                cv2.polylines(picture, [points], False, color, 1, cv2.LINE_AA)
            for text, at in ((f"{high:.0f} dB", (4, _EDGE_PX)), (f"{low:.0f} dB", (4, height - _EDGE_PX)),
                             (f"step {steps[-1]:.0f}; grey: the warped base", (_EDGE_PX, height - 12))):  # fmt: skip
                cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (60, 60, 60), 1, cv2.LINE_AA)
        cv2.imwrite(str(path), picture)


def decibels(mean_squared_error: float) -> float:
    """Peak signal to noise ratio of pictures in -1..1."""
    return 10 * math.log10(4.0 / max(mean_squared_error, 1e-10))
