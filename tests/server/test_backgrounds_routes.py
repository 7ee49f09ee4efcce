"""Backgrounds over HTTP: what a session may ask for, the list, uploads, and the page for streaming programs."""

import io
from typing import Any

import pytest

from server.routes.backgrounds import UPLOAD_LIMIT_BYTES
from tests.server.conftest import KEY, Bench, Start


@pytest.mark.parametrize("background", ["default", "transparent", "blur", "#00B140", "loft"])
async def test_a_session_stands_before_what_it_asked_for(bench: Bench, background: str) -> None:
    status, made = await bench.call("POST", "/v1/sessions", json={"background": background})
    assert status == 201
    spec = bench.services.sessions.running[made["id"]].spec
    assert spec.background == background.lower()
    assert spec.look == ("mira" if background == "default" else f"mira@{background.lower()}")


async def test_without_a_wish_it_is_the_avatars_own_room(bench: Bench) -> None:
    _, made = await bench.call("POST", "/v1/sessions", json={})
    assert bench.services.sessions.running[made["id"]].spec.look == "mira"


@pytest.mark.parametrize(
    "background", ["#fff", "#12345g", "nowhere", "../loft", "Loft", "mira@loft", "x" * 65, "", 7, ["loft"], {"a": 1}]
)
async def test_a_bad_background_is_refused_by_name(bench: Bench, background: Any) -> None:
    status, answer = await bench.call("POST", "/v1/sessions", json={"background": background})
    assert status == 422
    assert answer["error"]["field"] == "background"
    assert bench.services.sessions.running == {}
    if background == "nowhere":
        assert "transparent" in answer["error"]["limit"] and "loft" in answer["error"]["limit"]


async def test_the_list_names_pictures_and_the_syntax(bench: Bench) -> None:
    response = await bench.client.get("/v1/backgrounds")
    answer = await response.json()
    assert response.status == 200
    assert [one["name"] for one in answer["backgrounds"]] == ["studio", "loft"]
    assert "#rrggbb" in answer["syntax"]
    picture = await bench.client.get(answer["backgrounds"][0]["picture_url"])
    assert picture.status == 200 and picture.content_type == "image/jpeg"
    assert (await bench.client.get("/v1/backgrounds/none.jpg")).status == 404


async def test_an_upload_can_be_asked_for(bench: Bench) -> None:
    response = await bench.client.post(
        "/v1/backgrounds", data=b"\x89PNG...", headers={"Content-Type": "image/png"}
    )
    answer = await response.json()
    assert response.status == 201
    status, _ = await bench.call("POST", "/v1/sessions", json={"background": answer["name"]})
    assert status == 201


@pytest.mark.parametrize(
    ("content_type", "data", "status", "field"),
    [
        ("text/html", b"<html>", 415, "Content-Type"),
        ("image/svg+xml", b"<svg/>", 415, "Content-Type"),
        ("image/png", b"no picture", 422, "body"),
        ("image/png", b"", 422, "body"),
        ("image/png", b"\x89PNG" + b"0" * UPLOAD_LIMIT_BYTES, 413, "body"),
    ],
)
async def test_a_bad_upload_is_refused(bench: Bench, content_type: str, data: bytes, status: int, field: str) -> None:
    body = io.BytesIO(data)
    response = await bench.client.post("/v1/backgrounds", data=body, headers={"Content-Type": content_type})
    assert response.status == status
    assert (await response.json())["error"]["field"] == field


async def test_uploading_takes_the_key(start: Start) -> None:
    bench = await start(api_keys=(KEY,))
    response = await bench.client.post("/v1/backgrounds", data=b"\x89PNG", headers={"Content-Type": "image/png"})
    assert response.status == 401


async def test_the_streaming_page_is_served_under_the_same_policy(bench: Bench) -> None:
    response = await bench.client.get("/obs?avatar=mira")
    assert response.status == 200 and response.content_type == "text/html"
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    text = await response.text()
    assert "<script type=\"module\" src=\"obs/obs.js\">" in text and "style=" not in text
