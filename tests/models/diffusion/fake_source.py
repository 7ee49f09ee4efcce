"""A source of clips without a rig: discs on a gradient, drawn in microseconds."""

import numpy as np

from models.diffusion.data.sample import LANDMARKS, RoiClip, RoiSample, Split
from models.diffusion.spec import CROPS, FIELDS, control_vector
from realtime.core.facs import REST


class FakeSource:
    """A `RoiSource`: the truth has a bright disc where the base has a dark one."""

    name = "fake"
    version = 1
    rois = ("mouth", "eyes")

    def __init__(self) -> None:
        self.rendered: list[tuple[int, str, int, Split]] = []

    def clip(self, seed: int, roi: str, frames: int, split: Split = Split.TRAIN) -> RoiClip:
        """See `RoiSource.clip`."""
        self.rendered.append((seed, roi, frames, split))
        rng = np.random.default_rng([seed, self.rois.index(roi), int(split is Split.HELD_OUT)])
        crop = CROPS[roi]
        shade, at = rng.integers(60, 200), rng.uniform(0.3, 0.7, 2) * (crop.width, crop.height)
        y, x = np.mgrid[: crop.height, : crop.width]
        samples = []
        for frame in range(frames):
            disc = (np.hypot(x - at[0] - frame, y - at[1]) < 12).astype(np.uint8) * 255
            plain = np.full((crop.height, crop.width, 3), shade, np.uint8)
            plain += (x // 8)[..., None].astype(np.uint8)
            fields = np.zeros((len(FIELDS), crop.height, crop.width), np.uint8)
            fields[FIELDS.index("opening")] = disc
            flow = np.zeros((2, crop.height, crop.width), np.float16)
            flow[0] = -1.0 if frame else 0.0
            samples.append(
                RoiSample(
                    truth=np.where(disc[..., None] > 0, np.uint8(230), plain),
                    base=np.where(disc[..., None] > 0, np.uint8(30), plain),
                    reference=plain,
                    fields=fields,
                    interior=disc,
                    labels=(disc // 255 * 4).astype(np.uint8),
                    flow=flow,
                    flow_valid=np.full_like(disc, 255 if frame else 0),
                    landmarks=np.zeros((len(LANDMARKS), 2), np.float32),
                    control=control_vector(REST, roi),
                )  # fmt: skip
            )
        return RoiClip(roi, seed, split, tuple(samples))
