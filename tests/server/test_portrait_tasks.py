"""Portraits over HTTP: what a form must hold, one at a time, progress, reasons."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from models.avatar.portrait.shelf import Portraits
from realtime.core.errors import CapacityError, Conflict, InvalidField, NotFound
from server import portrait_tasks
from server.config import Config
from server.metrics import Metrics
from server.portrait_tasks import PortraitTasks, clearing
from server.routes import catalogue
from server.routes.portraits import TEXT_LIMIT_BYTES
from server.shelves import Shelves
from server.surfaces import AvatarInfo
from tests.server.conftest import AUTH, KEY, Bench, Start

CONSENT = "I am shown and agree to being animated"
WORKER = """
import json, sys
wish = json.load(sys.stdin)
photo = open(wish["photo"], "rb").read()
if photo == b"blank":
    print(json.dumps({"error": "no face was found", "field": "photo", "limit": None, "reason": "no_face"}))
    sys.exit(1)
if photo == b"slow":
    import time
    time.sleep(60)
for step in range(3):
    print(json.dumps({"what": "drawing", "done": step + 1, "total": 3}), flush=True)
"""


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fake_portrait_worker.py").write_text(WORKER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(portrait_tasks, "WORKER", "fake_portrait_worker")


@pytest.mark.parametrize(
    ("photo", "name", "consent", "field"),
    [(b"x", "No Name", CONSENT, "name"), (b"x", "a", "yes", "consent"), (b"", "a", CONSENT, "photo")],
)
async def test_what_is_missing_is_named(tmp_path: Path, photo: bytes, name: str, consent: str, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        PortraitTasks(tmp_path, tuple).begin(photo, name, consent, "")
    assert caught.value.field == field


@pytest.mark.parametrize("licence", ["two\nlines", "x" * 201])
async def test_what_is_no_licence(tmp_path: Path, licence: str) -> None:
    with pytest.raises(InvalidField) as caught:
        PortraitTasks(tmp_path, tuple).begin(b"x", "a", CONSENT, "", licence)
    assert caught.value.field == "licence"


@pytest.mark.parametrize("title", ["two\nlines", "x" * 81])
async def test_what_is_no_title(tmp_path: Path, title: str) -> None:
    with pytest.raises(InvalidField) as caught:
        PortraitTasks(tmp_path, tuple).begin(b"x", "a", CONSENT, title)
    assert caught.value.field == "title"


async def test_a_taken_name(tmp_path: Path) -> None:
    with pytest.raises(Conflict):
        PortraitTasks(tmp_path, lambda: ("mei",)).begin(b"x", "mei", CONSENT, "")


@pytest.mark.usefixtures("worker")
async def test_progress_and_end(tmp_path: Path) -> None:
    tasks = PortraitTasks(tmp_path, tuple)
    task = tasks.begin(b"fine", "a", CONSENT, "")
    assert task.state == "running"
    await tasks.join()
    assert (task.state, task.what, task.done, task.total, task.error) == ("done", "drawing", 3, 3, None)
    assert tasks.find(task.id) is task and tasks.find("other") is None


@pytest.mark.usefixtures("worker")
async def test_a_refused_photo_says_why(tmp_path: Path) -> None:
    tasks = PortraitTasks(tmp_path, tuple)
    task = tasks.begin(b"blank", "a", CONSENT, "")
    await tasks.join()
    assert (task.state, task.error, task.field) == ("failed", "no face was found", "photo")
    assert task.reason == "no_face"


@pytest.mark.usefixtures("worker")
async def test_one_at_a_time_and_none_after_the_end(tmp_path: Path) -> None:
    tasks = PortraitTasks(tmp_path, tuple)
    task = tasks.begin(b"slow", "a", CONSENT, "")
    with pytest.raises(CapacityError):
        tasks.begin(b"fine", "b", CONSENT, "")
    await asyncio.sleep(0.05)
    await tasks.aclose()
    assert task.state == "failed" and task.error == "the work was broken off"


def form(**parts: str | bytes) -> aiohttp.FormData:
    data = aiohttp.FormData()
    for name, value in parts.items():
        data.add_field(name, value, filename="photo.png" if name == "photo" else None)
    return data


@pytest.mark.usefixtures("worker")
async def test_over_http(bench: Bench) -> None:
    client = bench.client
    answer = await client.post("/v1/avatars", data=form(photo=b"fine", name="eve", consent=CONSENT))
    assert answer.status == 202, await answer.text()
    assert (await answer.json())["state"] == "running"
    await bench.services.portraits.join()
    task = await (await client.get(answer.headers["Location"])).json()
    assert (task["state"], task["done"]) == ("done", 3)
    assert (await client.get("/v1/avatars/tasks/none")).status == 404


async def test_bad_forms(bench: Bench) -> None:
    client = bench.client
    taken = await client.post("/v1/avatars", data=form(photo=b"x", name="mira", consent=CONSENT))
    assert taken.status == 409
    long = await client.post("/v1/avatars", data=form(consent="x" * (TEXT_LIMIT_BYTES + 1), photo=b"x"))
    assert (long.status, (await long.json())["error"]["field"]) == (413, "consent")
    assert (await client.post("/v1/avatars", json={"name": "eve"})).status == 415


def test_the_real_worker_tells_its_reasons(tmp_path: Path) -> None:
    import io

    from models.avatar.portrait.worker import run

    (tmp_path / "photo").write_bytes(b"no picture")
    out = io.StringIO()
    wish = {"photo": str(tmp_path / "photo"), "name": "a", "consent": CONSENT, "title": "", "packs": str(tmp_path)}
    assert run(wish, out) == 1
    told = json.loads(out.getvalue().splitlines()[-1])
    assert told["field"] == "photo" and "not a picture" in told["error"]
    assert told["reason"] == "unreadable"


def with_portrait(bench: Bench, gone: list[str]) -> None:
    """Give the bench's catalogue a portrait that can be removed; `gone` notes the names that were."""

    def avatars() -> list[AvatarInfo]:
        return [AvatarInfo("mira", "Mira", 512, 512), AvatarInfo("eve", "Eve", 512, 512, "portrait")]

    bench.services.avatars = avatars  # type: ignore[method-assign]  # a fake with another catalogue
    bench.services.portraits = PortraitTasks(Path(), tuple, clearing(gone.append, gone.append))


async def test_who_may_have_a_portrait_made(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "find_spec", lambda name: object())
    keyed = await start(api_keys=(KEY,))
    _, own = await keyed.call("GET", "/v1/avatars", headers=AUTH)
    _, visitor = await keyed.call("GET", "/v1/avatars")
    assert (own["portraits"], visitor["portraits"]) == ({"possible": True, "why": ""}, {"possible": False, "why": ""})


async def test_what_is_missing_for_portraits_is_told_with_its_command(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "find_spec", lambda name: None)
    _, told = await (await start()).call("GET", "/v1/avatars")
    assert not told["portraits"]["possible"]
    assert "make setup-photos" in told["portraits"]["why"]
    keyed = await start(api_keys=(KEY,))
    _, visitor = await keyed.call("GET", "/v1/avatars")
    assert visitor["portraits"] == {"possible": False, "why": ""}


async def test_a_portrait_is_removed(bench: Bench) -> None:
    gone: list[str] = []
    with_portrait(bench, gone)
    assert (await bench.raw("DELETE", "/v1/avatars/eve")).status == 204
    assert gone == ["eve", "eve"]


@pytest.mark.parametrize(("name", "status"), [("nobody", 404), ("mira", 409)])
async def test_what_is_no_portrait_stays(bench: Bench, name: str, status: int) -> None:
    gone: list[str] = []
    with_portrait(bench, gone)
    found, answer = await bench.call("DELETE", f"/v1/avatars/{name}")
    assert (found, answer["error"]["field"], gone) == (status, "name", [])


async def test_a_portrait_in_a_conversation_stays(bench: Bench) -> None:
    gone: list[str] = []
    with_portrait(bench, gone)
    session = await bench.session(avatar="eve")
    assert (await bench.raw("DELETE", "/v1/avatars/eve")).status == 409
    assert gone == []
    await bench.call("DELETE", f"/v1/sessions/{session.id}")
    assert (await bench.raw("DELETE", "/v1/avatars/eve")).status == 204


async def test_the_default_avatar_stays(start: Start) -> None:
    gone: list[str] = []
    bench = await start()
    bench.state.config = replace(bench.state.config, avatar="eve")
    with_portrait(bench, gone)
    assert (await bench.raw("DELETE", "/v1/avatars/eve")).status == 409
    assert gone == []


async def test_visitors_remove_nothing(start: Start) -> None:
    gone: list[str] = []
    bench = await start(api_keys=(KEY,))
    with_portrait(bench, gone)
    assert (await bench.raw("DELETE", "/v1/avatars/eve")).status == 401
    assert (await bench.raw("DELETE", "/v1/avatars/eve", headers=AUTH)).status == 204
    assert gone == ["eve", "eve"]


def test_a_removed_portrait_leaves_nothing_behind(tmp_path: Path) -> None:
    """Not its pack, not what was drawn of it, and nothing that would be shown for its name again."""
    for place in ("portrait-eve", "drawn/eve/old"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "file").write_bytes(b"pixels")
    shelves = Shelves(Config(packs_dir=tmp_path), lambda name: tmp_path / f"portrait-{name}", Metrics())
    shelves.forget("eve")
    assert not (tmp_path / "drawn" / "eve").exists() and (tmp_path / "portrait-eve").is_dir()
    with pytest.raises(NotFound):
        Portraits(tmp_path).remove("eve")
