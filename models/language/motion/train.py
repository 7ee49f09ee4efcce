"""Trains the text–motion model: `python -m models.language.motion.train` writes its weights and prints its figures.

Symmetric InfoNCE (van den Oord et al., 2018, eq. 4; Radford et al., 2021, figure 3) between one description of every
primitive and its curves, and between two descriptions of it; a gate of four experts (Jacobs et al., 1991) that is shown
which domain a description is from. PyTorch is needed here only."""

import argparse
import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.language.motion.calibration import fit_odds
from models.language.motion.curves import SIZE, motion_features
from models.language.motion.descriptions import DOMAINS, Description, choose, contexts, described
from models.language.motion.features import BUCKETS, features
from models.language.motion.model import WEIGHTS, MotionModel
from models.language.motion.report import report
from realtime.core.clips import BUILT_IN
from realtime.core.primitives import Primitive

SEED: Final = 2018
TEMPERATURE: Final = 0.07
WIDTH: Final = 64
UNITS: Final = 96
STEPS: Final = 1_500
IN_CONTEXT: Final = 0.35
"""How often a general description is put into the words of a domain."""
GATE_WEIGHT: Final = 0.2
RARITY: Final = torch.tensor([1.0, 1.0, 1.0, 0.3])
"""Weight of each domain in the gate's loss: most descriptions are general."""
GRAM_DROPOUT: Final = 0.25
NOISE: Final = 0.3
"""Standard deviation of what is added to the standardised curves, which are few: 46 primitives."""


class Encoders(nn.Module):
    """What is trained; `weights` is what stays."""

    def __init__(self, primitives: Sequence[Primitive]) -> None:
        super().__init__()
        seen = torch.from_numpy(np.stack([motion_features(one) for one in primitives]))
        self.mean, self.scale = seen.mean(0), seen.std(0) + 0.05
        self.seen = ((seen - self.mean) / self.scale).clamp(-5.0, 5.0)
        self.table = nn.EmbeddingBag(BUCKETS, WIDTH, mode="sum")
        nn.init.normal_(self.table.weight, std=0.02)
        self.gate = nn.Linear(WIDTH, len(DOMAINS))
        self.experts = nn.Parameter(torch.randn(len(DOMAINS), WIDTH, WIDTH) / WIDTH**0.5)
        self.expert_bias = nn.Parameter(torch.zeros(len(DOMAINS), WIDTH))
        self.hidden, self.out = nn.Linear(SIZE, UNITS), nn.Linear(UNITS, WIDTH)

    def texts(self, bag: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Descriptions in the common space (n, WIDTH), and the gate's scores (n, experts)."""
        places, offsets, weights = bag
        x = self.table(places, offsets, per_sample_weights=weights)
        scores = self.gate(x)
        each = torch.einsum("nw,ews->nes", x, self.experts) + self.expert_bias
        mixed = (functional.softmax(scores, 1)[:, :, None] * each).sum(1)
        return functional.normalize(mixed, dim=1), scores

    def motions(self, noise: Tensor) -> Tensor:
        """The primitives in the common space (primitives, WIDTH)."""
        return functional.normalize(self.out(functional.relu(self.hidden(self.seen + noise))), dim=1)

    def weights(self, words: NDArray[np.uint32]) -> dict[str, NDArray[Any]]:
        """By the names of `MotionModel`, in half precision."""
        parts = {
            "table": self.table.weight, "gate": self.gate.weight.T, "gate_bias": self.gate.bias,
            "experts": self.experts, "expert_bias": self.expert_bias, "mean": self.mean, "scale": self.scale,
            "hidden": self.hidden.weight.T, "hidden_bias": self.hidden.bias, "out": self.out.weight.T,
            "out_bias": self.out.bias,
        }  # fmt: skip
        return {name: part.detach().numpy().astype(np.float16) for name, part in parts.items()} | {
            "words": words, "odds": np.array([1.0, 0.0, 0.0, 0.0], np.float32),
        }  # fmt: skip


class Sampler:
    """Draws wordings: every description as often as the others of its primitive, its choices at random."""

    def __init__(self, samples: Sequence[Description], names: Sequence[str], seed: int) -> None:
        self.rng = random.Random(seed)
        self._contexts = contexts()
        self._by_name = {name: [one for one in samples if one.primitive == name] for name in names}

    def batch(self) -> tuple[list[str], list[int]]:
        """One wording of every primitive, and the domain of each."""
        drawn = [self._wording(self.rng.choice(found)) for found in self._by_name.values()]
        return [text for text, _ in drawn], [DOMAINS.index(domain) for _, domain in drawn]

    def _wording(self, one: Description) -> tuple[str, str]:
        text = choose(one.text, self.rng)
        if one.domain != "general" or self.rng.random() > IN_CONTEXT:
            return text, one.domain
        domain = self.rng.choice(DOMAINS)
        return self.rng.choice(self._contexts[domain][one.language]).replace("{x}", text), domain


def train(
    samples: Sequence[Description], primitives: Mapping[str, Primitive], seed: int = SEED, steps: int = STEPS
) -> MotionModel:
    """A model of these primitives' descriptions and curves, rounded as it will be stored, not calibrated."""
    return MotionModel(trained(samples, primitives, seed, steps))


def trained(
    samples: Sequence[Description], primitives: Mapping[str, Primitive], seed: int, steps: int
) -> dict[str, NDArray[Any]]:
    """The weights of `train`."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    encoders, sampler = Encoders(list(primitives.values())), Sampler(samples, list(primitives), seed)
    optimiser = torch.optim.AdamW(encoders.parameters(), lr=4e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 8e-3, steps)
    words: set[int] = set()
    for _ in range(steps):
        (texts, domains), (others, _) = sampler.batch(), sampler.batch()
        words.update(word for text in (*texts, *others) for word in features(text).words)
        said, scores = encoders.texts(_bag(texts, generator))
        also, _ = encoders.texts(_bag(others, generator))
        moved = encoders.motions(NOISE * torch.randn(encoders.seen.shape, generator=generator))
        gate = functional.cross_entropy(scores, torch.tensor(domains), weight=RARITY)
        loss = _info_nce(said, moved) + _info_nce(also, moved) + _info_nce(said, also) + GATE_WEIGHT * gate
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it untyped
        optimiser.step()
        schedule.step()
    return encoders.weights(np.array(sorted(words), np.uint32))


def _info_nce(a: Tensor, b: Tensor) -> Tensor:
    """Row i of one side belongs to row i of the other and to no other row."""
    scores = a @ b.T / TEMPERATURE
    own = torch.arange(len(a))
    return (functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)) / 2


def _bag(texts: Sequence[str], generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Texts as an embedding bag takes them; some n-grams are left out, so that no single one decides."""
    found = [features(text) for text in texts]
    offsets = torch.tensor(np.cumsum([0, *(len(one.places) for one in found[:-1])]))
    weights = torch.from_numpy(np.concatenate([one.weights for one in found]))
    kept = torch.rand(weights.shape, generator=generator) >= GRAM_DROPOUT
    return torch.from_numpy(np.concatenate([one.places for one in found])), offsets, weights * kept / (1 - GRAM_DROPOUT)


def main(argv: Sequence[str] | None = None) -> int:
    """Train, calibrate, measure, write."""
    parser = argparse.ArgumentParser(description="Train the text-motion model.")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where the weights go")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--heldout", action="store_true", help="report the held-out descriptions too")
    parser.add_argument("--unseen", action="store_true", help="train five more, each without a fifth of the primitives")
    options = parser.parse_args(argv)
    torch.set_num_threads(1)
    samples = described("train")
    weights = trained(samples, BUILT_IN, options.seed, options.steps)
    weights["odds"] = fit_odds(MotionModel(weights), described("validation"))
    np.savez_compressed(options.out, **weights)
    model = MotionModel(weights)
    figures: dict[str, Any] = {
        "descriptions": len(samples),
        "bytes": options.out.stat().st_size,
        "weights_sha256": hashlib.sha256(b"".join(weights[name].tobytes() for name in sorted(weights))).hexdigest(),
        "known_words": len(weights["words"]),
        "validation": report(model, described("validation")),
    }
    if options.heldout:
        figures["heldout"] = report(model, described("heldout"))
    if options.unseen:
        figures["unseen_primitives"] = unseen(samples, options.steps)
    print(json.dumps(figures, indent=2))
    return 0


def unseen(samples: Sequence[Description], steps: int, folds: int = 5) -> dict[str, float]:
    """How well a primitive is found by its curves alone that training saw neither described nor moving: its training
    descriptions against all primitives."""
    names = sorted(BUILT_IN)
    random.Random(SEED).shuffle(names)
    ranks: list[int] = []
    for fold in range(folds):
        held = set(names[fold::folds])
        seen = {name: one for name, one in BUILT_IN.items() if name not in held}
        model = train(samples, seen, SEED, steps)
        rows = np.stack([model.motion(one) for one in BUILT_IN.values()])
        order = list(BUILT_IN)
        for one in samples:
            if one.primitive in held:
                scores = rows @ model.text(choose(one.text, random.Random(SEED)))
                ranks.append(int((scores > scores[order.index(one.primitive)]).sum()))
    return {f"recall_at_{k}": round(float(np.mean([rank < k for rank in ranks])), 3) for k in (1, 3, 10)}


if __name__ == "__main__":
    raise SystemExit(main())
