"""The part net: a small segmentation net, trained on the renderers' free labels, whose features judge pictures."""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.diffusion.data.sample import PARTS

WIDTHS: Final = (32, 64)
FEATURE_WIDTHS: Final = WIDTHS


class PartNet(nn.Module):
    """RGB to part scores at half size."""

    def __init__(self) -> None:
        super().__init__()
        first, second = WIDTHS
        self.stem = nn.Conv2d(12, first, 3, padding=1)
        self.fine = nn.Conv2d(first, first, 3, padding=1)
        self.down = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(nn.Conv2d(second, second, 3, padding=2**i, dilation=2**i) for i in range(3))
        self.up = nn.Conv2d(second, first, 1)
        self.score = nn.Conv2d(first, len(PARTS), 3, padding=1)

    def features(self, picture: Tensor) -> list[Tensor]:
        """(B, 3, H, W) -> (B, 32, H / 2, W / 2) and (B, 64, H / 4, W / 4)."""
        fine = F.relu(self.fine(F.relu(self.stem(F.pixel_unshuffle(picture, 2)))))
        coarse = F.relu(self.down(fine))
        for layer in self.coarse:
            coarse = coarse + F.relu(layer(coarse))
        return [fine, coarse]

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) -> scores (B, len(PARTS), H / 2, W / 2)."""
        fine, coarse = self.features(picture)
        up = F.interpolate(self.up(coarse), scale_factor=2.0, mode="nearest")
        scores: Tensor = self.score(F.relu(fine + up))
        return scores


def part_loss(net: PartNet, picture: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy, rare parts weighing more. `labels` (B, H, W)."""
    half = labels[:, ::2, ::2]
    counts = torch.bincount(half.flatten(), minlength=len(PARTS)).float()
    weight = (counts.sum() / (counts + 0.002 * counts.sum())).sqrt()
    return F.cross_entropy(net(picture), half, weight=weight / weight.mean())


class PatchDiscriminator(nn.Module):
    """Judges patches by the part net's frozen features (Sauer et al., "Projected GANs", 2021)."""

    def __init__(self) -> None:
        super().__init__()
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, 32, 3, stride=2, padding=1), nn.LeakyReLU(0.2), nn.Conv2d(32, 1, 3, padding=1)
            )
            for width in FEATURE_WIDTHS
        )

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """A score per patch and level."""
        return [head(one) for head, one in zip(self.heads, features, strict=True)]
