"""What controls do to a figure: the portrait's displacement basis in 3-D, lids over eyeballs, jaw, teeth and tongue.

The basis is the rig's (FACS; Ekman, Friesen & Hager 2002), so that truth and warped base agree where both can be right;
what a warp cannot do (lids, teeth, tongue, contact of the lips) is geometry here."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.avatar.portrait.basis import BOTH_CONTROLS, LOWER_CONTROLS, UPPER_CONTROLS, displacements
from models.avatar.portrait.eyes import GAZE_UNITS
from models.avatar.portrait.frame import FaceFrame
from models.avatar.portrait.geometry import Posture, base_key
from models.avatar.portrait.numerics import Scattered
from models.avatar.portrait.topology import LIP_CORNERS, LOWER_LIP, MESH_POINTS, UPPER_LIP
from models.diffusion.head3d.figure import Figure, drape
from models.diffusion.head3d.landmarks import mesh_points
from models.diffusion.head3d.parts import TONGUE_COLUMNS
from models.diffusion.head3d.raster import F32
from models.diffusion.head3d.render import Posed, project
from models.diffusion.head3d.surface import EYEBALL_RADIUS, LID_THICKNESS
from models.diffusion.head3d.template import Floats, template
from realtime.core.facs import CONTROL_INDEX, Controls

NAMES: Final = (*UPPER_CONTROLS, *BOTH_CONTROLS, *LOWER_CONTROLS)
_AT: Final = np.array([CONTROL_INDEX[name] for name in NAMES])
_HINGE: Final = np.array([0.0, 0.30, 1.15])
_JAW_RAD: Final = 0.31
_TOUCH: Final = 0.012
"""Lips nearer than this, in face units, touch: the rig's own limit."""
UNDERSIDE: Final = (0.9, 0.45, 0.0)
"""How much the rows of the tongue's underside, from tip to floor, go with its tip."""
_TIP: Final = 0.005
"""Thickness of the tongue's tip over the lower teeth, in face units."""
_REACH: Final = 0.22
"""A lid's skin moves up to this far from its margin."""
AHEAD: Final = np.array([0.0, 0.0, -1.0])


class Mover:
    """One figure's movements."""

    def __init__(self, figure: Figure) -> None:
        self._f = figure
        self._skin = figure.slices["skin"]
        self._flat = template()
        self.rest_points = mesh_points(figure, figure.rest, (AHEAD, AHEAD))
        self._moves = self._basis()
        self._lid_rows = [self._lid_region(side) for side in (0, 1)]

    def posed(self, controls: Controls, frame: FaceFrame, picture_px: int) -> Posed:
        """The figure under these controls, in a picture."""
        f = self._f
        vertices = f.rest.copy()
        weights = controls.vector[_AT]
        active = np.flatnonzero(weights)
        skin = vertices[self._skin].astype(np.float64)
        if active.size:
            skin += np.tensordot(weights[active], self._moves[active], 1)
        self._part(skin)
        self._look(vertices, controls)
        self._lids(skin, controls)
        vertices[self._skin] = skin
        self._inside(vertices, skin, controls)
        posture = Posture.of(base_key(controls))
        xy, depth = project(f, vertices, posture, frame, picture_px)
        upper, lower = (skin[ids] for ids in f.seams)
        frown = min(1.0, max(controls["AU4"], 0.8 * controls["AU9"]))
        smile = min(1.0, max(controls["AU6"], 0.8 * controls["AU12"], 0.5 * controls["AU9"], 0.5 * controls["AU10"]))
        raised = min(1.0, 0.5 * (controls["AU1"] + controls["AU2"]))
        opening = float(np.clip((lower[:, 1] - upper[:, 1]).max(), 0, 1))
        return Posed(vertices, xy, depth, posture, opening, (raised, frown, smile))

    def points(self, posed: Posed, controls: Controls) -> Floats:
        """The 478 face mesh points of a posed figure, head axes."""
        return mesh_points(self._f, posed.vertices, self._directions(controls))

    # --- skin -----------------------------------------------------------------------------------------------------

    def _basis(self) -> NDArray[np.float32]:
        """(controls, skin vertices, 3): the rig's displacements between its points, each lip's side by its own."""
        face = self.rest_points
        found = displacements(face)
        values = np.stack([found[name] for name in NAMES], 1).reshape(MESH_POINTS, -1)
        ring = np.array(
            [(np.cos(a) * 2.3, 0.5 + np.sin(a) * 2.5) for a in np.linspace(0, 2 * np.pi, 24, endpoint=False)]
        )
        rest = self._f.rest[self._skin].astype(np.float64)
        sides = []
        for others in (LOWER_LIP - LIP_CORNERS, UPPER_LIP - LIP_CORNERS):
            kept = np.array([i for i in range(MESH_POINTS) if i not in others])
            at = np.vstack([face[kept, :2], ring])
            values_at = np.vstack([values[kept], np.zeros((len(ring), values.shape[1]))])
            sides.append(Scattered(at, values_at, radius=0.035, smoothing=3e-4)(rest[:, :2]))
        x, y = self._flat.points.T
        soft = np.clip((np.abs(x) - 0.40) / 0.25, 0, 1)
        low = np.where(soft > 0, np.clip(0.5 + (y - 1.10) / (0.02 + 0.25 * soft), 0, 1), self._flat.low)
        both = sides[0] + (sides[1] - sides[0]) * low[:, None]
        fade = 1 - np.clip((rest[:, 2] - 0.85) / 0.35, 0, 1)
        fade *= np.clip((np.pi / 2 * 1.15 - np.abs(x)) / 0.3, 0, 1)
        moves = (both * fade[:, None]).reshape(len(rest), len(NAMES), 3)
        return np.ascontiguousarray(moves.transpose(1, 0, 2), np.float32)

    def _part(self, skin: Floats) -> None:
        """Lips that touch meet in one line, and neither passes through the other, in place."""
        upper_ids, lower_ids = self._f.seams
        gap = skin[lower_ids, 1] - skin[upper_ids, 1]
        touching = gap < _TOUCH
        if not touching.any():
            return
        t_seam = self._flat.lip[upper_ids, 0]
        t, q = self._flat.lip.T
        near = np.flatnonzero(q < 1.0)
        depth = 0.5 * (skin[upper_ids, 2] + skin[lower_ids, 2])
        across = 0.5 * (skin[upper_ids, 0] + skin[lower_ids, 0])
        for ids, low, way in ((upper_ids, False, 0.5), (lower_ids, True, -0.5)):
            vertices = near[self._flat.low[near] == low]
            hold = (1 - q[vertices]) ** 1.5
            for axis, shift in ((1, way * gap), (0, across - skin[ids, 0]), (2, depth - skin[ids, 2])):
                welded = np.where(touching, shift, 0.0)
                skin[vertices, axis] += np.interp(t[vertices], t_seam, welded) * hold
            skin[ids, 1] = np.where(touching, 0.5 * (skin[upper_ids, 1] + skin[lower_ids, 1]), skin[ids, 1])
        both = np.where(touching, 0.5 * (skin[upper_ids, 1] + skin[lower_ids, 1]), 0)
        skin[upper_ids, 1] = np.where(touching, both, skin[upper_ids, 1])
        skin[lower_ids, 1] = np.where(touching, both, skin[lower_ids, 1])

    # --- eyes -----------------------------------------------------------------------------------------------------

    def _lid_region(self, side: int) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
        """Skin near one eye: vertices, place along the margin 0..1, share in the upper and the lower lid's movement."""
        rest = self._f.rest[self._skin].astype(np.float64)
        upper, lower = (rest[ids] for ids in self._f.lids[side])
        way = np.sign(upper[-1, 0] - upper[0, 0])
        s = np.clip((rest[:, 0] - upper[0, 0]) * way / abs(upper[-1, 0] - upper[0, 0]), 0, 1)
        beyond = np.maximum(0, np.maximum((upper[0, 0] - rest[:, 0]) * way, (rest[:, 0] - upper[-1, 0]) * way))
        along = (upper[:, 0] - upper[0, 0]) * way / abs(upper[-1, 0] - upper[0, 0])
        top = np.interp(s, along, upper[:, 1])
        along_low = (lower[:, 0] - upper[0, 0]) * way / abs(upper[-1, 0] - upper[0, 0])
        bottom = np.interp(s, along_low, lower[:, 1])
        fade = np.clip(1 - beyond / 0.08, 0, 1)
        middle = 0.5 * (top + bottom)
        above = np.clip(1 - (top - rest[:, 1]).clip(0) / _REACH, 0, 1) * fade * (rest[:, 1] <= middle + 1e-9)
        below = np.clip(1 - (rest[:, 1] - bottom).clip(0) / 0.14, 0, 1) * fade * (rest[:, 1] > middle)
        front = (rest[:, 2] < 0.6) & (self._flat.points[:, 0] * way > 0)
        ids = np.flatnonzero(((above > 0) | (below > 0)) & front)
        above[self._f.lids[side][0]], below[self._f.lids[side][0]] = 1.0, 0.0
        inner_lower = self._f.lids[side][1][1:-1]
        below[inner_lower], above[inner_lower] = 1.0, 0.0
        return ids, s[ids], above[ids], below[ids] ** 1.3

    def _lids(self, skin: Floats, controls: Controls) -> None:
        """Lids close along the eyeballs, as far as the portrait's drawn lids do, in place."""
        squint, widen, look = controls["AU7"], controls["AU5"], controls["gaze_y"]
        follow = (0.22 if look > 0 else 0.10) * look
        for side, blink_name in enumerate(("blink_r", "blink_l")):
            blink = controls[blink_name]
            ids, s, above, below = self._lid_rows[side]
            upper, lower = (skin[row] for row in self._f.lids[side])
            gap = np.maximum(lower[:, 1] - upper[:, 1], 0)
            down = 0.88 * blink + (1 - blink) * (0.10 * squint + follow - 0.20 * widen)
            up = 0.12 * blink + (1 - blink) * 0.20 * squint
            down = min(down, 1 - up)
            along = np.linspace(0, 1, len(gap))
            place = 0.5 - 0.5 * np.cos(np.pi * along)
            height = np.interp(s, place, gap)
            skin[ids, 1] += height * (down * above - up * below)
            if blink > 0.97:
                seam = 0.5 * (skin[self._f.lids[side][0], 1] + skin[self._f.lids[side][1], 1])
                for row in self._f.lids[side]:
                    skin[row, 1] = seam
            self._over_ball(skin, ids, side)

    def _over_ball(self, skin: Floats, ids: NDArray[np.int64], side: int) -> None:
        centre, scale = self._f.eyes[side], self._f.eye_scale
        r = (EYEBALL_RADIUS + LID_THICKNESS) * scale
        square = ((skin[ids, :2] - centre[:2]) ** 2).sum(1)
        front = np.where(square < r * r, centre[2] - np.sqrt(np.maximum(r * r - square, 0)), np.inf)
        skin[ids, 2] = np.minimum(skin[ids, 2], front)
        for row in self._f.lids[side]:
            drape(skin, row, centre, scale)

    def _directions(self, controls: Controls) -> tuple[Floats, Floats]:
        """Where the eyes look, unit vectors."""
        radius = EYEBALL_RADIUS * self._f.eye_scale
        across, down = (
            np.clip(controls[n] * u / radius, -0.9, 0.9) for n, u in zip(("gaze_x", "gaze_y"), GAZE_UNITS, strict=True)
        )
        look = np.array([across, down, -np.sqrt(max(0.0, 1 - across**2 - down**2))])
        return look, look

    def _look(self, vertices: F32, controls: Controls) -> None:
        """Turns the eyeballs, in place."""
        x, y, z = self._directions(controls)[0]
        yaw, pitch = np.arctan2(x, -z), np.arcsin(y)
        turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
        nod = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
        for name, centre in zip(("right_eye", "left_eye"), self._f.eyes, strict=True):
            at = self._f.slices[name]
            vertices[at] = (vertices[at] - centre) @ (turn @ nod).T + centre

    # --- mouth ----------------------------------------------------------------------------------------------------

    def _inside(self, vertices: F32, skin: Floats, controls: Controls) -> None:
        """Lining, teeth, tongue and bowl follow lips and jaw, in place."""
        f = self._f
        rest = f.rest
        for name, seam in zip(("upper_lining", "lower_lining"), f.seams, strict=True):
            at = f.slices[name]
            rows = (at.stop - at.start) // len(seam)
            vertices[at] += np.tile((skin[seam] - rest[seam]).astype(np.float32), (rows, 1))
        back = self._room(skin, f.seams)
        angle = _JAW_RAD * controls["AU26"]
        cosine, sine = np.cos(angle), np.sin(angle)
        swing = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
        for name in ("lower_teeth", "tongue"):
            at = f.slices[name]
            vertices[at] = (vertices[at] - _HINGE) @ swing.T + _HINGE
        for name in ("upper_teeth", "lower_teeth", "tongue"):
            vertices[f.slices[name], 2] += back
        meet = controls["teeth"] * 0.05
        vertices[f.slices["lower_teeth"], 1] -= meet
        self._tongue(vertices, controls)
        bowl = f.slices["cavity"]
        low = vertices[bowl, 1] > float(np.median(rest[bowl, 1]))
        vertices[bowl, 1] += np.where(low, 0.42 * controls["AU26"] + 0.05, 0).astype(np.float32)

    def _room(self, skin: Floats, seams: tuple[NDArray[np.int64], NDArray[np.int64]]) -> float:
        """How far teeth have to go back so that lips that are drawn against them stay before them."""
        f = self._f
        upper = skin[seams[0]][4:-4]
        moved = upper[:, 2] - f.rest[seams[0]][4:-4, 2]
        return float(np.clip(moved.max(), 0, 0.12))

    def _tongue(self, vertices: F32, controls: Controls) -> None:
        """The tip rises to the ridge, or comes forward between the teeth; its root stays on the mouth's floor."""
        f = self._f
        up, out = controls["tongue_up"], controls["tongue_out"]
        if up <= 0 and out <= 0:
            return
        at = f.slices["tongue"]
        v = vertices[at]
        local = f.rest[at, 2] - f.rest[at, 2].min()
        tip = np.exp(-((local / 0.32) ** 2))
        for row, hold in enumerate(UNDERSIDE):
            first = len(tip) - (len(UNDERSIDE) - row) * TONGUE_COLUMNS
            tip[first : first + TONGUE_COLUMNS] *= hold
        edge = float(vertices[f.slices["upper_teeth"], 1].max())
        top = float(v[local < 0.12, 1].min())
        # between the teeth it lies on the lower row
        low = float(vertices[f.slices["lower_teeth"], 1].min())
        rise = up * min(0.0, edge - 0.06 - top) + out * (max(edge + 0.005, low - _TIP) - top)
        v[:, 1] += (tip * rise).astype(np.float32)
        front = float(vertices[f.slices["upper_teeth"], 2].min())
        forward = out * (front - 0.04 - float(v[:, 2].min())) + up * 0.3 * (front + 0.05 - float(v[:, 2].min()))
        v[:, 2] += np.float32(forward) * np.exp(-((local / 0.7) ** 2)).astype(np.float32)
        vertices[at] = v
