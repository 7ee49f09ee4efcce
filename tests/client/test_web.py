"""The page's own checks: its Node tests, its types, and that what is shipped is complete."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "client" / "web"
TYPESCRIPT = "typescript@5.9.3"
NODE_MAJOR_MIN = 20


def run(*command: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=WEB, capture_output=True, text=True, timeout=timeout_s, check=False)


def node() -> str:
    """Node, or a skip that says what is missing."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed: the page's unit tests need Node 20 or later")
    major = int(run(found, "--version", timeout_s=20).stdout.lstrip("v").split(".")[0])
    if major < NODE_MAJOR_MIN:
        pytest.skip(f"the page's unit tests need Node {NODE_MAJOR_MIN} or later, this is {major}")
    return found


def type_checker() -> list[str]:
    """The command of tsc: the installed one, or npm's from its cache or registry."""
    if tsc := shutil.which("tsc"):
        return [tsc]
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("neither tsc nor npx is installed: types are not checked")
    command = [npx, "--yes", "--package", TYPESCRIPT, "tsc"]
    for attempt in ([*command[:1], "--offline", *command[1:]], command):
        if run(*attempt, "--version", timeout_s=90).returncode == 0:
            return attempt
    pytest.skip(f"npm cannot provide {TYPESCRIPT} here: types are not checked")


def test_units() -> None:
    files = sorted(str(path.relative_to(WEB)) for path in (WEB / "tests").glob("*.test.mjs"))
    assert files
    done = run(node(), "--test", *files, timeout_s=120)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    passed = re.search(r"^(?:#|ℹ) pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed and int(passed[1]) > 60


@pytest.mark.slow
def test_types() -> None:
    node()
    done = run(*type_checker(), "--project", ".", timeout_s=120)
    assert done.returncode == 0, done.stdout[-8000:]


def test_every_import_and_asset_is_shipped() -> None:
    """The server hands out files as they lie here, so a wrong path shows only in a browser."""
    for path in (*WEB.glob("*.js"), *WEB.glob("ui/*.js")):
        for name in re.findall(r'(?:from|import) "(\.[^"]+)"', path.read_text("utf-8")):
            assert (path.parent / name).is_file(), f"{path.name} imports {name}"
    page = (WEB / "index.html").read_text("utf-8")
    for name in re.findall(r'(?:src|href)="([\w./-]+\.(?:js|css|svg))', page):
        assert (WEB / name).is_file(), f"index.html names {name}"
