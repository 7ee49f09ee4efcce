"""A mouth net at work: where it paints, what each session hears, and what becomes of one that fails."""

import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.avatar.portrait.avatar import PortraitAvatar
from models.diffusion.door.mouth import MouthNet
from models.diffusion.door.mouthpiece import Mouthpiece, SessionMouth, laid, taken, window
from realtime.core.composite import compose, planes
from realtime.core.errors import PackError
from realtime.core.facs import REST
from realtime.core.spoken import Stretch
from realtime.core.units import AUDIO_RATE_HZ
from realtime.core.values import I420, Pcm
from tests.fakes import FlatAvatar
from tests.models.avatar.portrait.conftest import _quiet, assets, avatar, framed, photo, photo_path
from tests.models.diffusion.door.loud import BRIGHT, DARK, loud_mouth, noise

__all__ = ["_quiet", "assets", "avatar", "framed", "photo", "photo_path"]

SAMPLES = round(1.4 * AUDIO_RATE_HZ)
LOUD, SILENT = Stretch(0, noise(SAMPLES)), Stretch(0, np.zeros(SAMPLES, np.int16))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> MouthNet:
    return MouthNet(loud_mouth(tmp_path_factory.mktemp("mouth") / "loud"))


@pytest.fixture
def piece(net: MouthNet) -> Mouthpiece:
    return Mouthpiece(net)


@pytest.fixture
def mouth(piece: Mouthpiece, avatar: PortraitAvatar) -> SessionMouth:
    found = piece.of(avatar)
    assert found is not None
    return found


def spoken(mouth: SessionMouth, avatar: PortraitAvatar, sound: Stretch, **turn: float) -> tuple[I420, I420, Any]:
    """The picture before and after, and the patch."""
    key = avatar.base_key(REST.with_(**turn))
    base = avatar.render_base(key)
    patch = mouth.speak(base, key, sound, 0.6, 1.0)
    assert patch is not None
    return base, compose(base, [patch], np.empty_like(base)), patch


@pytest.mark.parametrize("turn", [{}, {"yaw": 12.0, "pitch": -4.0}, {"yaw": -15.0, "roll": 5.0}])
def test_it_paints_the_mouth_and_nothing_else(
    mouth: SessionMouth, avatar: PortraitAvatar, turn: dict[str, float]
) -> None:
    before, after, patch = spoken(mouth, avatar, LOUD, **turn)
    roi = patch.roi
    outside = np.ones((512, 512), np.bool_)
    outside[roi.y : roi.y + roi.height, roi.x : roi.x + roi.width] = False
    was, now = planes(before), planes(after)
    assert np.array_equal(was[0][outside], now[0][outside])
    for plane in (1, 2):
        assert np.array_equal(was[plane][outside[::2, ::2]], now[plane][outside[::2, ::2]])
    key = avatar.base_key(REST.with_(**turn))
    rois = {one.name: one.roi for one in avatar.regions(key, REST.with_(**turn, AU26=0.6, AU5=1.0, blink_l=0.5))}
    lower = rois["lower"]
    assert lower.x <= roi.x and lower.x + lower.width >= roi.x + roi.width
    middle = (roi.y + roi.height // 2, roi.x + roi.width // 2)
    assert abs(int(now[0][middle]) - int(was[0][middle])) > 20
    if "upper" in rois:
        eyes = rois["upper"]
        assert roi.y >= eyes.y + eyes.height // 2, "it begins on the nose, below the eyes"
        third = slice(eyes.y, eyes.y + eyes.height // 2)
        assert np.array_equal(was[0][third], now[0][third])


def test_lips_and_chin_lie_in_what_it_paints(mouth: SessionMouth, avatar: PortraitAvatar) -> None:
    from models.diffusion.refiner_face import PortraitFaces

    for turn in ({}, {"yaw": 14.0}, {"pitch": 8.0, "roll": -6.0}):
        key = avatar.base_key(REST.with_(**turn))
        roi = mouth._boxes.at(key).mouth
        lips = PortraitFaces(avatar.assets).at(key, REST.with_(**turn)).points[:44]
        inside = window(roi.height, roi.width)
        for x, y in lips:
            assert inside[round(y) - roi.y, round(x) - roi.x] > 0.9, "whole, not in the soft edge"


def test_the_border_is_what_it_was_and_a_share_is_a_share(mouth: SessionMouth, avatar: PortraitAvatar) -> None:
    before, after, patch = spoken(mouth, avatar, LOUD)
    roi = patch.roi
    was, now = (planes(one)[0][roi.y : roi.y + roi.height, roi.x : roi.x + roi.width] for one in (before, after))
    for edge in ((0, slice(None)), (-1, slice(None)), (slice(None), 0), (slice(None), -1)):
        assert np.array_equal(was[edge], now[edge])
    key = avatar.base_key(REST)
    half = mouth.speak(before, key, LOUD, 0.6, 0.5)
    assert half is not None and half.alpha is not None and abs(int(half.alpha.max()) - 128) <= 1


def test_a_face_that_is_laid_back_is_the_face(mouth: SessionMouth, avatar: PortraitAvatar) -> None:
    key = avatar.base_key(REST.with_(yaw=6.0))
    base, box = avatar.render_base(key), mouth._boxes.at(key)
    patch = laid(taken(base, box, 256), box, base, 1.0)
    again = compose(base, [patch], np.empty_like(base))
    change = np.abs(planes(again)[0].astype(int) - planes(base)[0])
    assert change.mean() < 0.6 and change.max() < 40, "resampled, not moved"


def test_it_hears_the_moment(mouth: SessionMouth, avatar: PortraitAvatar) -> None:
    pcm = np.concatenate([np.zeros(SAMPLES // 2, np.int16), noise(SAMPLES - SAMPLES // 2)])
    sound, key = Stretch(AUDIO_RATE_HZ * 3, pcm), avatar.base_key(REST)
    base = avatar.render_base(key)
    greys = []
    for media_s in (3.3, 3.5, 3.9, 4.1):
        patch = mouth.speak(base, key, sound, media_s, 1.0)
        assert patch is not None
        greys.append(float(patch.pixels[: patch.roi.height].mean()))
    middle = (DARK + BRIGHT) / 2
    assert [grey > middle for grey in greys] == [False, False, True, True]


def test_one_stretch_is_encoded_once(mouth: SessionMouth, avatar: PortraitAvatar, monkeypatch: Any) -> None:
    encoded: list[int] = []
    encode = mouth._piece.net.features.encode

    def counted(pcm: Pcm) -> Any:
        encoded.append(len(pcm))
        return encode(pcm)

    monkeypatch.setattr(mouth._piece.net.features, "encode", counted)
    key = avatar.base_key(REST)
    base = avatar.render_base(key)
    for media_s in (1.0, 1.04, 1.08, 1.12, 1.16):
        assert mouth.speak(base, key, Stretch(0, LOUD.pcm.copy()), media_s, 1.0) is not None
    assert encoded == [SAMPLES // 3]
    mouth.speak(base, key, SILENT, 1.16, 1.0)
    mouth.speak(base, key, Stretch(9600, SILENT.pcm), 1.2, 1.0)
    assert len(encoded) == 3, "other sound, or the same at another time"


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=4, max_size=10))
def test_no_session_hears_another(piece: Mouthpiece, avatar: PortraitAvatar, turns: list[tuple[int, int]]) -> None:
    """Three sessions ask in any order, each with sounds of its own, some of them equal to another's; every answer is
    the one that the session would get alone."""
    sounds: list[Pcm] = [noise(SAMPLES), np.zeros(SAMPLES, np.int16), np.roll(noise(SAMPLES), SAMPLES // 2) // 50]
    sounds.append(np.concatenate([sounds[0][: SAMPLES // 2], sounds[1][SAMPLES // 2 :]]))
    key = avatar.base_key(REST)
    base = avatar.render_base(key)
    sessions = [piece.of(avatar) for _ in range(3)]
    for who, which in turns:
        session, alone = sessions[who], piece.of(avatar)
        assert session is not None and alone is not None
        sound = Stretch(0, np.roll(sounds[which], 37 * who))
        found, expected = session.speak(base, key, sound, 0.7, 1.0), alone.speak(base, key, sound, 0.7, 1.0)
        assert found is not None and expected is not None
        assert np.array_equal(found.pixels, expected.pixels)


def test_sessions_on_threads_do_not_meet(piece: Mouthpiece, avatar: PortraitAvatar) -> None:
    key = avatar.base_key(REST)
    base = avatar.render_base(key)
    wrong: list[str] = []

    def speak(sound: Stretch, expected: int) -> None:
        session = piece.of(avatar)
        assert session is not None
        for _ in range(6):
            patch = session.speak(base, key, sound, 0.7, 1.0)
            grey = -1.0 if patch is None else float(patch.pixels[: patch.roi.height].mean())
            if abs(grey - expected) > 40:
                wrong.append(f"{grey} for {expected}")

    threads = [threading.Thread(target=speak, args=one) for one in ((LOUD, BRIGHT), (SILENT, DARK)) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_only_portraits_have_one(piece: Mouthpiece) -> None:
    assert piece.of(FlatAvatar()) is None


def test_a_net_that_fails_rests_and_is_tried_again(
    net: MouthNet, avatar: PortraitAvatar, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [0.0]
    piece = Mouthpiece(net, lambda: now[0])
    mouth, other = piece.of(avatar), piece.of(avatar)
    assert mouth is not None and other is not None
    key = avatar.base_key(REST)
    base = avatar.render_base(key)
    calls = []

    def broken(face: Any, sound: Any) -> Any:
        calls.append(1)
        raise ArithmeticError("out of numbers")

    monkeypatch.setattr(net, "speak", broken)
    for _ in range(5):
        assert mouth.speak(base, key, LOUD, 0.6, 1.0) is None
        assert other.speak(base, key, LOUD, 0.6, 1.0) is None
    assert len(calls) == 3, "the net is the same for all sessions"
    assert piece.about == "loud failed 3 times in a row: out of numbers; mouths are as drawn"
    assert caplog.text.count("the mouth net loud failed: out of numbers") == 3
    assert caplog.text.count("Traceback") == 1
    assert "left alone for 10 s" in caplog.text
    now[0] = 10.0
    assert mouth.speak(base, key, LOUD, 0.6, 1.0) is None
    assert len(calls) == 4 and "left alone for 20 s" in caplog.text
    monkeypatch.undo()
    now[0] = 29.0
    assert mouth.speak(base, key, LOUD, 0.6, 1.0) is None, "it rests"
    now[0] = 30.0
    assert mouth.speak(base, key, LOUD, 0.6, 1.0) is not None
    assert not piece.about and not piece.rests


def test_numbers_that_are_none_are_a_failure(tmp_path: Path, avatar: PortraitAvatar) -> None:
    import torch

    net = MouthNet(loud_mouth(tmp_path / "a"))
    mouth = Mouthpiece(net).of(avatar)
    with torch.no_grad():
        net._unet.conv_out.weight.fill_(float("nan"))
    key = avatar.base_key(REST)
    assert mouth is not None and mouth.speak(avatar.render_base(key), key, LOUD, 0.6, 1.0) is None
    with pytest.raises(PackError, match="loud does not work: the net gives numbers that are not finite"):
        Mouthpiece(net)


def test_the_window_is_nothing_on_the_border_and_whole_inside() -> None:
    found = window(64, 96)
    assert not found[0].any() and not found[:, -1].any() and found[32, 48] == 1.0


def test_pictures_with_a_matte_below_are_taken_by_their_upper_half(mouth: SessionMouth, avatar: PortraitAvatar) -> None:
    key = avatar.base_key(REST)
    plain = avatar.render_base(key)
    rgb = cv2.cvtColor(plain, cv2.COLOR_YUV2RGB_I420)
    packed = cv2.cvtColor(np.vstack([rgb, np.full_like(rgb, 255)]), cv2.COLOR_RGB2YUV_I420)
    patch = mouth.speak(np.asarray(packed, np.uint8), key, LOUD, 0.6, 1.0)
    assert patch is not None and patch.matte is None
    assert patch.roi == mouth._boxes.at(key).mouth
