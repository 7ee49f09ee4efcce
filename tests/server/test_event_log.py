"""Event logs on disk: what they hold, whose words they leave out, and the command that plays them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from models.language.content import Library
from models.safety.audit import AuditLog
from models.safety.filter import SafetyFilter
from models.safety.rules import load_packs
from realtime.compute import ComputeThread
from realtime.core.errors import Malformed, NotFound
from realtime.stock import Stock
from server import compose
from server.cli import main
from server.config import Config
from server.event_log import EventLog, event_logs, read_log
from server.metrics import Metrics
from server.rtc.peer import PeerOptions
from server.sessions.session import Session
from server.sessions.shared import Shared
from server.surfaces import SessionSpec
from tests.fakes import FixedAnswerer, FlatAvatar, ToneVoice

SECRET = "my telephone number"


async def recorded(folder: Path, *, text: bool = False) -> Path:
    """A session that spoke and was interrupted; its log."""
    config = Config(event_log_dir=folder, event_log_text=text)
    compute = ComputeThread()
    shared = Shared(
        config, {"flat": Stock(FlatAvatar())}, compute, ToneVoice(), Library(FixedAnswerer(["Hello there."])),
        lambda session, scene, tag: SafetyFilter(
            load_packs(["en"]), AuditLog(None), session=session, scene=scene, language=tag
        ),
        Metrics(), event_log=event_logs(config),
    )  # fmt: skip
    session = Session("abc", SessionSpec("flat", "en", "default"), shared, PeerOptions())
    session._production.hold("somebody")
    await session.chat(SECRET)
    for _ in range(400):
        await asyncio.sleep(0.01)
        frames = session.figures()["frames"]
        if frames == 10:
            await session.interrupt()
        if frames > 20:
            break
    await session.aclose("done")
    compute.close()
    return folder / "abc.jsonl"


async def test_a_session_is_recorded_without_words(tmp_path: Path) -> None:
    path = await recorded(tmp_path / "logs")
    header, records = read_log(path)
    found = list(records)
    assert header["avatar"] == "flat" and header["scene"] == "host" and header["fps"] == 25
    assert {record["do"] for record in found} >= {"begun", "sample", "frame", "attend", "event"}
    assert SECRET not in path.read_text() and oct(path.stat().st_mode)[-3:] == "600"
    said = next(record for record in found if record.get("kind") == "UserSaid")
    assert said["text"] == len(SECRET)


async def test_words_are_in_it_where_the_settings_say_so(tmp_path: Path) -> None:
    assert SECRET in (await recorded(tmp_path, text=True)).read_text()


async def test_the_command_makes_the_frames_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await recorded(tmp_path)

    class Shelf:
        def open(self, name: str, progress: Any) -> FlatAvatar:
            return FlatAvatar()

        def open_aside(self, name: str, wish: Any) -> FlatAvatar:
            raise NotFound("it cannot be cut out", field="background")

        def pack(self, name: str) -> Path:
            return tmp_path / "pack"

        def close(self) -> None:
            """Nothing to end."""

    monkeypatch.setattr(compose, "collection", lambda config: Shelf())
    film, pictures = tmp_path / "film.mp4", tmp_path / "pictures"
    assert main(["replay", str(path), "--out", str(pictures), "--mp4", str(film)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["frames"] == told["same"] > 20 and told["different"] == 0 and told["first_different"] is None
    assert len(list(pictures.glob("*.png"))) == told["frames"] and film.stat().st_size > 500
    lines = path.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if '"digest"' in line)
    path.write_text("\n".join([*lines[:at], json.dumps(json.loads(lines[at]) | {"digest": "0"}), *lines[at + 1 :]]))
    assert main(["replay", str(path)]) == 1
    assert json.loads(capsys.readouterr().out)["different"] == 1
    refined = json.loads(lines[at]) | {"rung": "refine1"}
    painted = json.dumps({"do": "restaged"})
    path.write_text("\n".join([*lines[:at], json.dumps(refined), *lines[at + 1 :], painted, lines[at]]))
    assert main(["replay", str(path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["refined"] == 2 and told["frames"] == told["same"] + 2
    assert {what: one["frames"] for what, one in told["not_compared"].items()} == {"denoiser": 1, "painter": 1}
    assert all(one["why"] for one in told["not_compared"].values())


@pytest.mark.parametrize("text", ["", "[]\n", "{}\n", '{"anima_log": 1}\n', "no json\n", '{"anima_log": 9, "seed": 1}'])
def test_what_is_no_log_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(text)
    with pytest.raises(Malformed):
        read_log(path)
    with pytest.raises(Malformed):
        read_log(tmp_path / "missing.jsonl")


def test_a_folder_that_cannot_be_written_costs_the_log_only(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    spec = SessionSpec("flat", "en", "default")
    assert event_logs(Config(event_log_dir=blocked))("abc", spec, 1) is None
    assert event_logs(Config())("abc", spec, 1) is None


def test_nothing_is_written_after_the_end(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "a.jsonl", {"anima_log": 1, "seed": 1}, with_text=False)
    log.close()
    log.note({"do": "settle"})
    log.close()
    assert (tmp_path / "a.jsonl").read_text().count("\n") == 1
