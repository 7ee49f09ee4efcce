"""A running server, the foreign peers' packages, and a browser that runs one of them."""

import asyncio
import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import ClientSession, web
from platformdirs import user_cache_path
from playwright.async_api import Page, async_playwright

from bench.server_process import ServerProcess
from server.auth import TOKEN_BYTES
from server.config import Config
from tests.peers import missing_peer, skip_unless
from tests.server.sessions.test_session import House

HERE: Final = Path(__file__).parent
PEERS: Final = HERE / "peers"
KEY: Final = "k" * TOKEN_BYTES
_FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip


GO_PATH: Final = Path("/usr/share/gocode")
_HAS_PION: Final = shutil.which("go") is not None and (GO_PATH / "src/github.com/pion/webrtc").exists()
needs_pion: Final = skip_unless(_HAS_PION, "needs Debian's Go and Pion: make interop-deps")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """`anima serve` with a key, open to pages of any origin."""
    log = tmp_path_factory.mktemp("interop") / "server.log"
    with ServerProcess(log=log, settings={"api_keys": KEY, "allowed_origins": "*"}) as running:
        yield running


@pytest.fixture(scope="session")
def packages() -> Path:
    """The npm packages of the lock file, installed once per lock file into the user's cache."""
    lock = (PEERS / "package-lock.json").read_bytes()
    folder = user_cache_path("anima") / "interop" / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PEERS / name, folder)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, text=True
        )
        if done.returncode:
            missing_peer(f"npm cannot install the packages: {done.stderr.strip()[-300:]}")
        (folder / "installed").touch()
    return folder


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Its sessions may publish to servers on this machine; not a process of its own."""
    made = House(replace(Config(), recordings_dir=tmp_path / "shelf", output_private=True))
    yield made
    await made.sessions.aclose()
    made.compute.close()


async def new_session(server: ServerProcess, **wish: Any) -> dict[str, Any]:
    """A fresh session's JSON, its addresses absolute."""
    async with ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http:
        async with http.post(f"{server.url}/v1/sessions", json=wish) as answer:
            assert answer.status == 201, await answer.text()
            made: dict[str, Any] = await answer.json()
    return {key: server.url + value if key.endswith("_url") else value for key, value in made.items()}


async def session_state(server: ServerProcess, session_id: str) -> dict[str, Any]:
    """A session's state."""
    async with ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http:
        async with http.get(f"{server.url}/v1/sessions/{session_id}") as answer:
            found: dict[str, Any] = await answer.json()
    return found


async def in_node(packages: Path, script: str, *arguments: str) -> dict[str, Any]:
    """Run one of the peers in node; its last line is JSON."""
    # node resolves imports from where the file lies
    shutil.copy(PEERS / script, packages)
    return await output_of("node", script, *arguments, folder=packages)


async def output_of(*command: str, folder: Path, timeout_s: float = 90.0, **environment: str) -> dict[str, Any]:
    """Run a program that prints JSON in its last line."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment}, start_new_session=True,
    )  # fmt: skip
    try:
        async with asyncio.timeout(timeout_s):
            out, errors = await process.communicate()
    finally:
        # what it started goes with it: a compiler left behind keeps a core busy
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, errors.decode()[-2000:]
    found: dict[str, Any] = json.loads(out.decode().strip().splitlines()[-1])
    return found


async def built_go(folder: Path, source: str) -> str:
    """One of the peers in Go, built with Debian's packages; its program."""
    # without a go.mod beside it, an import path that ends in /v3 is not found in a GOPATH
    code = folder / "src" / "peer"
    code.mkdir(parents=True)
    shutil.copy(PEERS / source, code / "main.go")
    shutil.copy(PEERS / "pion_shared.go", code)
    (code / "go.mod").write_text("module peer\n")
    environment = {"GO111MODULE": "off", "GOPATH": f"{folder}:{GO_PATH}", "GOFLAGS": "-p=1"}
    # Go 1.19's linker was once seen to spin for minutes on an overloaded machine; preemption by signals is suspected
    environment["GODEBUG"] = "asyncpreemptoff=1"
    build = ["sh", "-c", "go build -o peer . && echo '{}'"]
    await output_of(*build, folder=code, timeout_s=400.0, **environment)
    return str(code / "peer")


async def in_browser(
    packages: Path, script: str, timeout_s: float = 60.0, flags: tuple[str, ...] = (), **what: Any
) -> dict[str, Any]:
    """Bundle one of the peers into a page of a headless Chromium and call its `run`; what that returns."""
    bundle = packages / f"{script}.bundle.js"
    command = [str(packages / "node_modules/.bin/esbuild"), str(PEERS / script), "--bundle", f"--outfile={bundle}"]
    # the peers' own folder has no node_modules
    bundled = ["sh", "-c", '"$@" >&2 && echo "{}"', "sh", *command]
    await output_of(*bundled, folder=packages, NODE_PATH=str(packages / "node_modules"))
    async with asyncio.timeout(timeout_s), _page(bundle, flags) as page:
        found: dict[str, Any] = await page.evaluate("what => run(what)", what)
        return found


@asynccontextmanager
async def _page(bundle: Path, flags: tuple[str, ...]) -> AsyncIterator[Page]:
    """A page on an origin of its own, with this script loaded; its complaints are printed."""

    async def page_of(request: web.Request) -> web.Response:
        html = '<!doctype html><meta charset="utf-8"><body><script src="peer.js"></script>'
        return web.Response(text=html, content_type="text/html")

    async def script_of(request: web.Request) -> web.FileResponse:
        return web.FileResponse(bundle, headers={"Content-Type": "text/javascript"})

    app = web.Application()
    app.add_routes([web.get("/", page_of), web.get("/peer.js", script_of)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with async_playwright() as driver:
            chromium = await driver.chromium.launch(executable_path=shutil.which("chromium"), args=[*_FLAGS, *flags])
            try:
                page = await chromium.new_page()
                page.on("console", lambda message: print("page:", message.text))
                page.on("pageerror", lambda error: print("page:", error))
                await page.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
                yield page
            finally:
                await chromium.close()
    finally:
        await runner.cleanup()
