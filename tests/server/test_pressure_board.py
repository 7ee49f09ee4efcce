"""What workers tell each other of pressure: seen at once, fresh only, by files that go with the server."""

from pathlib import Path

import pytest

from realtime.core.errors import ConfigError
from server.pressure_board import FRESH_S, PressureBoard, notes


def test_each_learns_what_the_others_feel_and_not_what_it_feels_itself() -> None:
    with notes(3) as files:
        a, b, c = (PressureBoard(file) for file in files)
        assert a.exchange(1, 10.0) == 0, "nobody else feels anything"
        assert (b.exchange(0, 10.01), c.exchange(2, 10.01)) == (1, 1)
        assert (a.exchange(0, 10.02), b.exchange(0, 10.02), c.exchange(0, 10.02)) == (2, 2, 1)


def test_what_was_felt_a_while_ago_counts_no_more() -> None:
    with notes(2) as files:
        a, b = (PressureBoard(file) for file in files)
        a.exchange(2, 10.0)
        a.exchange(1, 10.0 + FRESH_S / 2)
        assert b.exchange(0, 10.0 + 0.9 * FRESH_S) == 2
        assert b.exchange(0, 10.0 + 1.2 * FRESH_S) == 1
        assert b.exchange(0, 10.0 + 1.6 * FRESH_S) == 0, "and so a worker that was killed presses nobody"


def test_a_worker_that_is_started_anew_takes_its_place() -> None:
    with notes(2) as files:
        _, b = (PressureBoard(file) for file in files)
        again = PressureBoard(files[0])
        again.exchange(1, 5.0)
        assert b.exchange(0, 5.0) == 1


def test_the_files_go_with_the_server() -> None:
    with notes(2) as files:
        place = files[0].parent
        assert place.stat().st_mode & 0o077 == 0, "nobody else's business"
    assert not place.exists()


def test_a_file_that_is_no_note_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(b"short")
    for name in ("0", "missing"):
        with pytest.raises(ConfigError, match="pressure_note"):
            PressureBoard(tmp_path / name)
