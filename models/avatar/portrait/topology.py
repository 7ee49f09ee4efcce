"""Which of the 478 face mesh points is what (mediapipe FaceMesh with refined lips, eyes and irises).

"Left" and "right" name the sides of the picture's subject: their right eye lies at the picture's left."""

from typing import Final

UPPER_OUTER: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
UPPER_INNER: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
UPPER_MIDDLE: Final = (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306)
UPPER_INSIDE: Final = (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292)
LOWER_OUTER: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LOWER_INNER: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
LOWER_MIDDLE: Final = (77, 90, 180, 85, 16, 315, 404, 320, 307)
LOWER_INSIDE: Final = (96, 89, 179, 86, 15, 316, 403, 319, 325)
"""Lip contours from corner to corner, picture left to right."""

LIP_CORNERS: Final = frozenset({61, 291, 78, 308, 76, 306, 62, 292})
UPPER_LIP: Final = frozenset({*UPPER_OUTER, *UPPER_INNER, *UPPER_MIDDLE, *UPPER_INSIDE}) - LIP_CORNERS
LOWER_LIP: Final = frozenset({*LOWER_OUTER, *LOWER_INNER, *LOWER_MIDDLE, *LOWER_INSIDE}) - LIP_CORNERS

RIGHT_UPPER_LID: Final = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_LOWER_LID: Final = (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_UPPER_LID: Final = (362, 398, 384, 385, 386, 387, 388, 466, 263)
LEFT_LOWER_LID: Final = (362, 382, 381, 380, 374, 373, 390, 249, 263)
"""Lid margins from corner to corner, picture left to right."""
RIGHT_IRIS: Final = (468, 469, 470, 471, 472)
LEFT_IRIS: Final = (473, 474, 475, 476, 477)
RIGHT_CREASE: Final = (247, 30, 29, 27, 28, 56, 190)
LEFT_CREASE: Final = (467, 260, 259, 257, 258, 286, 414)

OVAL: Final = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""The face's outline, clockwise from the top."""

NOSE_TIP: Final = 4
NOSE_BASE: Final = 2
FOREHEAD: Final = 10
CHIN: Final = 152
RIGHT_CORNER, LEFT_CORNER = 61, 291
RIGHT_NOSTRIL, LEFT_NOSTRIL = 129, 358
LIP_TOP, LIP_BOTTOM = 13, 14
"""Middle of the inner lip contours."""
MESH_POINTS: Final = 468
ALL_POINTS: Final = 478
