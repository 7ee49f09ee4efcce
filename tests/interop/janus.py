"""Debian's Janus with its video room and streaming mountpoints, and its HTTP interface."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession

from tests.peers import skip_unless
from tests.server.outputs.ports import free_port
from tests.server.outputs.stage import until

_JANUS: Final = shutil.which("janus")
_PARTS: Final = Path("/usr/lib/x86_64-linux-gnu/janus")
needs_janus: Final = skip_unless(
    _JANUS is not None and _PARTS.exists(), "needs Debian's janus: make interop-deps"
)


@asynccontextmanager
async def janus(folder: Path, mountpoints: str = "") -> AsyncIterator[str]:
    """Janus; the address of its HTTP interface. `mountpoints` stands in the streaming plugin's file."""
    config = folder / "janus"
    config.mkdir()
    port = free_port()
    (config / "janus.jcfg").write_text(
        f'general: {{ configs_folder = "{config}"; plugins_folder = "{_PARTS}/plugins";'
        f' transports_folder = "{_PARTS}/transports"; debug_level = 4 }}\n'
        "nat: { ice_lite = false; ice_enforce_list = \"lo\"; ignore_mdns = true }\n"
        'plugins: { disable = "libjanus_sip.so,libjanus_lua.so,libjanus_duktape.so,libjanus_nosip.so" }\n'
        'transports: { disable = "libjanus_pfunix.so,libjanus_mqtt.so,libjanus_rabbitmq.so,libjanus_websockets.so" }\n'
    )
    (config / "janus.transport.http.jcfg").write_text(f'general: {{ http = true; port = {port}; ip = "127.0.0.1" }}\n')
    (config / "janus.plugin.videoroom.jcfg").write_text(
        'room-1: { description = "room"; publishers = 6; videocodec = "h264"; audiocodec = "opus" }\n'
    )
    (config / "janus.plugin.streaming.jcfg").write_text(f"general: {{ }}\n{mountpoints}")
    with (folder / "janus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(_JANUS), "-F", str(config), "-C", str(config / "janus.jcfg"), stdout=log, stderr=log
        )
    api = f"http://127.0.0.1:{port}/janus"
    try:
        async with ClientSession() as http, asyncio.timeout(30):
            while True:
                try:
                    async with http.get(f"{api}/info") as answer:
                        if answer.status == 200:
                            break
                except OSError:
                    assert process.returncode is None, (folder / "janus.log").read_text()[-2000:]
                    await asyncio.sleep(0.1)
        yield api
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Handle:
    """One plugin attached to in a session of its own."""

    def __init__(self, http: ClientSession, url: str) -> None:
        self.events: list[dict[str, Any]] = []
        self._http = http
        self._url = url

    async def ask(self, **body: Any) -> dict[str, Any]:
        """Send a request; the direct answer."""
        async with self._http.post(self._url, json={"transaction": "t", **body}) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def event(self, key: str) -> dict[str, Any]:
        """Wait for the first event with this key."""
        await until(lambda: any(key in one for one in self.events), f"Janus's {key}")
        return next(one for one in self.events if key in one)

    async def listen(self, session: str) -> None:
        """Collect events for ever."""
        while True:
            async with self._http.get(session, params={"maxev": "1"}) as answer:
                self.events.append(await answer.json())


@asynccontextmanager
async def attached(api: str, plugin: str) -> AsyncIterator[Handle]:
    """A handle of a plugin, its events being collected."""
    async with ClientSession() as http:
        session = f"{api}/{(await Handle(http, api).ask(janus='create'))['data']['id']}"
        made = await Handle(http, session).ask(janus="attach", plugin=f"janus.plugin.{plugin}")
        handle = Handle(http, f"{session}/{made['data']['id']}")
        listening = asyncio.create_task(handle.listen(session))
        try:
            yield handle
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
