"""The prompt receiving path: frames on the marker bit, gaps, wrapped time stamps, and its pins."""

import inspect
import random

import aiortc
import pytest
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtp import RtpPacket

from client.viewer.receiving import RELIED_ON, PromptJitterBuffer, UnwrappedTimestamps


def _packet(sequence: int, timestamp: int, *, marker: bool = False) -> RtpPacket:
    packet = RtpPacket(sequence_number=sequence & 0xFFFF, timestamp=timestamp, marker=int(marker))
    packet._data = bytes([sequence & 0xFF])  # type: ignore[attr-defined]  # as the receiver does
    return packet


def _frames(buffer: PromptJitterBuffer, packets: list[RtpPacket]) -> list[JitterFrame]:
    frames: list[JitterFrame] = []
    for packet in packets:
        _, frame = buffer.add(packet)
        while frame is not None:
            frames.append(frame)
            frame = buffer.take()
    return frames


def test_version() -> None:
    assert aiortc.__version__.startswith("1.16."), "client.viewer.receiving was written against aiortc 1.16"


@pytest.mark.parametrize(("owner", "names"), RELIED_ON, ids=lambda value: getattr(value, "__name__", ""))
def test_members_relied_on_exist(owner: type, names: tuple[str, ...]) -> None:
    source = inspect.getsource(owner)
    for name in names:
        plain = name.removeprefix(f"_{owner.__name__}")
        assert plain in source, f"aiortc's {owner.__name__} has no {plain} any more"


def test_marker_completes_a_picture() -> None:
    buffer = PromptJitterBuffer(64, is_video=True)
    frames = _frames(buffer, [_packet(1, 0), _packet(2, 0, marker=True), _packet(3, 90)])
    assert [(frame.timestamp, frame.data) for frame in frames] == [(0, b"\x01\x02")]


def test_picture_without_marker_is_completed_by_the_next() -> None:
    buffer = PromptJitterBuffer(64, is_video=True)
    frames = _frames(buffer, [_packet(1, 0), _packet(2, 90), _packet(3, 180, marker=True)])
    assert [frame.timestamp for frame in frames] == [0, 90, 180]


def test_shuffled_pictures_come_out_in_order_and_none_waits() -> None:
    rng = random.Random(3)
    packets = [_packet(65500 + index, index // 3 * 3600, marker=index % 3 == 2) for index in range(90)]
    shuffled = [packets[0]]
    for begin in range(1, 90, 6):
        part = packets[begin : begin + 6]
        rng.shuffle(part)
        shuffled += part
    frames = _frames(PromptJitterBuffer(128, is_video=True), shuffled)
    assert [frame.timestamp for frame in frames] == [index * 3600 for index in range(30)]
    assert all(len(frame.data) == 3 for frame in frames)


def test_sound_comes_at_once_and_waits_little_for_what_is_lost() -> None:
    buffer = PromptJitterBuffer(16, is_video=False)
    assert len(_frames(buffer, [_packet(0, 0), _packet(1, 960)])) == 2
    assert _frames(buffer, [_packet(3, 2880), _packet(4, 3840)]) == []
    assert [frame.timestamp for frame in _frames(buffer, [_packet(5, 4800)])] == [2880, 3840, 4800]
    assert [frame.timestamp for frame in _frames(buffer, [_packet(6, 5760)])] == [5760]


def test_reordered_sound_is_put_right() -> None:
    buffer = PromptJitterBuffer(16, is_video=False)
    frames = _frames(buffer, [_packet(0, 0), _packet(2, 1920), _packet(1, 960), _packet(3, 2880)])
    assert [frame.timestamp for frame in frames] == [0, 960, 1920, 2880]


def test_time_stamps_go_on_over_the_wrap() -> None:
    mapper = UnwrappedTimestamps()
    start = 2**32 - 7200
    assert [mapper.map((start + step * 3600) % 2**32) - start for step in range(5)] == [0, 3600, 7200, 10800, 14400]
    assert mapper.map((start + 3 * 3600) % 2**32) - start == 10800
