"""Nearest vectors by inner product: FAISS where it is installed, the same answers from numpy where it is not."""

import importlib.util
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from realtime.core.errors import ConfigError
from realtime.core.extras import how_to_install

Floats = NDArray[np.float32]
MAX_ROWS: Final = 1_000_000


class VectorIndex:
    """Labelled unit vectors. `engine` is "faiss", "numpy" or "auto": FAISS if it is installed. Raises `ConfigError`."""

    def __init__(self, dimensions: int, engine: str = "auto") -> None:
        self.engine = _engine(engine)
        self.labels: list[str] = []
        self._vectors = np.zeros((0, dimensions), np.float32)
        self._faiss: Any = None
        if self.engine == "faiss":
            import faiss

            self._faiss = faiss.IndexFlatIP(dimensions)

    def __len__(self) -> int:
        return len(self.labels)

    def add(self, labels: Sequence[str], vectors: Floats) -> None:
        """Add rows `(n, dimensions)`, one label each. Raises `ValueError` if the shapes do not fit."""
        if vectors.shape != (len(labels), self._vectors.shape[1]) or len(self) + len(labels) > MAX_ROWS:
            raise ValueError(f"{len(labels)} labels do not fit vectors of shape {vectors.shape}")
        self.labels += labels
        if self._faiss is not None:
            self._faiss.add(np.ascontiguousarray(vectors, np.float32))
        else:
            self._vectors = np.concatenate([self._vectors, vectors.astype(np.float32)])

    def search(self, vector: Floats, k: int) -> list[tuple[int, float]]:
        """The `k` nearest rows and their inner products, best first; of equals the row that came first."""
        k = min(k, len(self))
        if k == 0:
            return []
        if self._faiss is not None:
            products, rows = self._faiss.search(np.ascontiguousarray(vector[None], np.float32), k)
            found = zip(rows[0].tolist(), products[0].tolist(), strict=True)
        else:
            scores = self._vectors @ vector.astype(np.float32)
            nearest = np.argsort(-scores, kind="stable")[:k]
            found = zip(nearest.tolist(), scores[nearest].tolist(), strict=True)
        return sorted(((row, float(score)) for row, score in found), key=lambda pair: (-pair[1], pair[0]))


def _engine(wanted: str) -> str:
    if wanted not in ("auto", "faiss", "numpy"):
        raise ValueError(f"no search engine {wanted!r}; there are auto, faiss, numpy")
    installed = importlib.util.find_spec("faiss") is not None
    if wanted == "faiss" and not installed:
        raise ConfigError(f"FAISS is not installed; search with numpy, or {how_to_install('search')}")
    return wanted if wanted != "auto" else "faiss" if installed else "numpy"
