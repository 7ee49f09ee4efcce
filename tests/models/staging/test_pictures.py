"""Background pictures: what may be uploaded, under which name it is found, and when it goes."""

import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.staging import pictures
from models.staging.pictures import KEPT, MAX_BYTES, Pictures, size_of
from realtime.core.errors import InvalidField, NotFound, TooLarge


def encoded(suffix: str, width: int = 96, height: int = 80, seed: int = 3) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3)).astype(np.uint8)
    done, data = cv2.imencode(suffix, cv2.GaussianBlur(noise, (0, 0), 4))
    assert done
    return bytes(data)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_headers_tell_the_size(suffix: str) -> None:
    assert size_of(encoded(suffix)) == (96, 80)


@pytest.mark.parametrize(
    "data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF0000WEBPVP8X", b"\xff\xd8ab"]
)
def test_other_headers_tell_nothing(data: bytes) -> None:
    assert size_of(data) is None


def test_what_was_added_is_found_under_its_name(tmp_path: Path) -> None:
    shelf = Pictures(tmp_path / "new")
    name = shelf.add(encoded(".png"))
    assert name == shelf.add(encoded(".png")), "the same picture has one name"
    assert name in shelf.names() and "studio" in shelf.names()
    assert shelf.open(name).shape == (512, 512, 4)
    assert shelf.thumbnail(name)[:2] == b"\xff\xd8"
    assert shelf.thumbnail("studio")[:2] == b"\xff\xd8"


@pytest.mark.parametrize("name", ["own-000000000000", "../own-x", "nowhere", "own-/../../x"])
def test_unknown_names_are_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        Pictures(tmp_path).open(name)


@pytest.mark.parametrize("data", [b"", b"<svg/>", encoded(".png")[:60], encoded(".png", 32, 80)])
def test_what_is_no_usable_picture_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(InvalidField) as caught:
        Pictures(tmp_path).add(data)
    assert caught.value.field == "body" and caught.value.limit


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 60_000, 60_000) + b"\x08\x02\x00\x00\x00"
    with pytest.raises(InvalidField, match="60000 x 60000"):
        Pictures(tmp_path).add(bomb)
    with pytest.raises(TooLarge):
        Pictures(tmp_path).add(b"\xff\xd8" + b"0" * MAX_BYTES)


def test_the_longest_unused_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "KEPT", 2)
    assert KEPT > 2
    shelf = Pictures(tmp_path)
    names = [shelf.add(encoded(".png", seed=seed)) for seed in (1, 2)]
    for age_s, name in zip((100, 200), names, strict=True):
        os.utime(tmp_path / f"{name}.png", (1e9 - age_s, 1e9 - age_s))
    third = shelf.add(encoded(".png", seed=5))
    assert names[1] not in shelf.names()
    assert {names[0], third} <= shelf.names().keys()
