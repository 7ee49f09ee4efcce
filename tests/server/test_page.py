"""The page's files: types, revalidation, and what is not served."""

from pathlib import Path

import pytest

from server.routes import page
from tests.server.conftest import Bench, Start


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small page, with things beside it that are nobody's business."""
    root = tmp_path / "web"
    (root / "ui").mkdir(parents=True)
    (root / "tests").mkdir()
    (tmp_path / "secret.js").write_text("secret")
    (root / "link.js").symlink_to(tmp_path / "secret.js")
    for name in ("index.html", "main.js", "ui/a.mjs", "style.css", "icons.svg", "tests/a.js", ".env.js", "notes.py"):
        (root / name).write_text(f"content of {name}")
    monkeypatch.setattr(page, "page_dir", lambda: root)
    return root


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html"), ("/index.html", "text/html"), ("/main.js", "text/javascript"),
        ("/ui/a.mjs", "text/javascript"), ("/style.css", "text/css"), ("/icons.svg", "image/svg+xml"),
    ],
)  # fmt: skip
async def test_files_have_their_types(bench: Bench, path: str, content_type: str) -> None:
    response = await bench.raw("GET", path)
    assert response.status == 200 and response.content_type == content_type
    assert response.headers["Cache-Control"] == "no-cache" and response.headers["ETag"]
    assert "frame-ancestors" in response.headers["Content-Security-Policy"]
    again = await bench.raw("GET", path, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize(
    "path",
    [
        "/tests/a.js", "/.env.js", "/notes.py", "/none.js", "/ui", "/link.js", "/ui/../../secret.js",
        "/%2e%2e/secret.js", "/..%2fsecret.js", "/ui%5c..%5c..%5csecret.js", "/main.js%00.html",
    ],
)  # fmt: skip
async def test_nothing_else_is_served(bench: Bench, path: str) -> None:
    response = await bench.raw("GET", path)
    assert response.status in (400, 404) and "secret" not in await response.text()


async def test_the_page_can_be_left_out(start: Start) -> None:
    bench = await start(page=False)
    for path in ("/", "/docs", "/openapi.json"):
        assert (await bench.raw("GET", path)).status == 404


async def test_only_reading_is_possible(bench: Bench) -> None:
    assert (await bench.raw("HEAD", "/main.js")).status == 200
    assert (await bench.raw("POST", "/main.js")).status == 404


def test_the_bundled_page_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert page.page_dir().is_dir()
