"""The Python SDK: sessions of a running server, driven over HTTP; every failure is a typed `ApiError`.

    async with AnimaClient("http://127.0.0.1:8080") as client:
        session = await client.create_session(language="en")
        async with session.viewer() as viewer: ...
        await session.say("[happy] Hello! [wave]")

ApiError                  a request failed; carries `status`, `kind`, `field`, `limit`, `retry_after_s`
├── InvalidRequest        400, 409, 413, 415, 422  the request itself is wrong
├── NotAllowed            401, 403  no, wrong or insufficient credentials
├── NotFound              404  no such session, or no longer
├── Busy                  429, 503  come back after `retry_after_s`
├── ServerFailed          5xx  the server or a model behind it failed
└── Unreachable           no HTTP answer at all
"""

from asyncio import sleep
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import aiohttp

if TYPE_CHECKING:
    from client.viewer.viewer import HeadlessViewer

_LEAST_WAIT_S: Final = 0.5
"""Between two askings for a place, whatever the server says."""


class ApiError(Exception):
    """A request to the server failed."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        kind: str = "",
        field: str | None = None,
        limit: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.field = field
        self.limit = limit
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        detail = ", ".join(part for part in (self.field, self.limit and f"allowed: {self.limit}") if part)
        return f"{self.message} ({detail})" if detail else self.message


class InvalidRequest(ApiError):
    """The request is wrong; `field` and `limit` say where."""


class NotAllowed(ApiError):
    """No, wrong or insufficient credentials."""


class NotFound(ApiError):
    """There is no such thing, or no longer."""


class Busy(ApiError):
    """No room, or too many requests; ask again after `retry_after_s`."""


class ServerFailed(ApiError):
    """The server's own fault."""


class Unreachable(ApiError):
    """No HTTP answer."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What opens a session and where its media is joined."""

    id: str
    token: str | None
    expires_at: str | None = None
    ice_servers: tuple[dict[str, Any], ...] = ()
    offer_url: str = ""

    def __repr__(self) -> str:
        return f"Credentials(id={self.id!r}, token=…)"


class AnimaClient:
    """One server. `api_key` creates sessions; a server on loopback without keys takes none."""

    def __init__(self, url: str, api_key: str | None = None, *, timeout_s: float = 15.0) -> None:
        self.url = url.rstrip("/")
        self.api_key = api_key
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=self._timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; sessions on the server go on."""
        if self._http is not None:
            await self._http.close()
        self._http = None

    async def create_session(
        self,
        *,
        avatar: str | None = None,
        scene: str | None = None,
        language: str | None = None,
        voice: str | None = None,
        max_response_time_ms: int | None = None,
        partial_update: bool = True,
        cache_hint: Sequence[str] = (),
        label: str = "",
        priority: Literal["low", "normal", "high"] = "normal",
        queue_s: float = 0.0,
    ) -> "RemoteSession":
        """Open a session; what is None is the server's choice. Of low `priority`, it gives way before others where
        there is too little processor time; of high, after them. A server without room is asked again when it says,
        for waits of up to `queue_s` seconds together; then raises `Busy`."""
        wish: dict[str, Any] = {"partial_update": partial_update, "cache_hint": list(cache_hint), "label": label}
        wish |= _given(avatar=avatar, scene=scene, language=language, voice=voice)
        wish["priority"] = priority
        wish |= _given(max_response_time_ms=max_response_time_ms)
        made = await self._when_there_is_room(wish, queue_s)
        credentials = Credentials(
            made["id"], made["token"], made["expires_at"], tuple(made["ice_servers"]), made["offer_url"]
        )
        return RemoteSession(self, credentials)

    async def _when_there_is_room(self, wish: dict[str, Any], queue_s: float) -> Any:
        while True:
            try:
                return await self.request("POST", "/v1/sessions", wish)
            except Busy as busy:
                wait_s = busy.retry_after_s
                if wait_s is None or wait_s > queue_s:
                    raise
            pause_s = max(wait_s, _LEAST_WAIT_S)
            queue_s -= pause_s
            await sleep(pause_s)

    def session(self, session_id: str, token: str | None = None) -> "RemoteSession":
        """A session that runs already; without its token, the API key is used."""
        return RemoteSession(self, Credentials(session_id, token, offer_url=f"/api/offer?session={session_id}"))

    async def avatars(self) -> list[dict[str, Any]]:
        """The avatars that sessions may ask for."""
        found: list[dict[str, Any]] = (await self.request("GET", "/v1/avatars"))["avatars"]
        return found

    async def voices(self) -> list[dict[str, Any]]:
        """The voices that sessions may ask for."""
        found: list[dict[str, Any]] = (await self.request("GET", "/v1/voices"))["voices"]
        return found

    async def styles(self) -> list[dict[str, Any]]:
        """The style packs of the server's painter, each with whether it is `usable`."""
        found: list[dict[str, Any]] = (await self.request("GET", "/v1/styles"))["styles"]
        return found

    def absolute(self, path: str) -> str:
        """An address that the server gave, with its host."""
        return path if path.startswith(("http://", "https://")) else self.url + path

    async def request(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, token: str | None = None
    ) -> Any:
        """One call; returns the answer's JSON, or None where it has none. Raises `ApiError`."""
        if self._http is None:
            raise RuntimeError("use AnimaClient as `async with AnimaClient(url) as client`")
        credentials = token or self.api_key
        headers = {"Authorization": f"Bearer {credentials}"} if credentials else {}
        try:
            async with self._http.request(
                method, self.absolute(path), json=body, headers=headers, allow_redirects=False
            ) as response:
                if response.status >= 400:
                    raise await _error_of(response)
                return await response.json() if response.content_type == "application/json" else None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unreachable(f"{self.url} does not answer: {error or type(error).__name__}") from error


class RemoteSession:
    """One session on the server. As a context manager it ends the session when left."""

    def __init__(self, client: AnimaClient, credentials: Credentials) -> None:
        self._client = client
        self.credentials = credentials

    @property
    def id(self) -> str:
        return self.credentials.id

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.delete()
        except NotFound:
            pass

    async def state(self) -> dict[str, Any]:
        """The session's state and counters."""
        found: dict[str, Any] = await self._call("GET", "")
        return found

    async def say(
        self,
        text: str | None = None,
        *,
        ssml: str | None = None,
        emotion: str | None = None,
        intensity: float = 1.0,
        interrupt: bool = False,
    ) -> None:
        """Speak exactly this: text with inline tags, or SSML."""
        body: dict[str, Any] = {"intensity": intensity, "interrupt": interrupt}
        body |= _given(text=text, ssml=ssml, emotion=emotion)
        await self._call("POST", "/say", body)

    async def chat(self, text: str) -> None:
        """Answer this."""
        await self._call("POST", "/chat", {"text": text})

    async def interrupt(self) -> int:
        """Be silent at once; returns the new epoch."""
        return int((await self._call("POST", "/interrupt"))["epoch"])

    async def cue(
        self,
        *,
        emotion: str | None = None,
        intensity: float = 1.0,
        gesture: str | None = None,
        gaze: tuple[float, float] | None = None,
        motion: str | None = None,
        paint: dict[str, Any] | None = None,
        style: str | None = None,
        style_strength: float | None = None,
    ) -> None:
        """Direct the avatar; `motion` is a gesture in free words. `paint` orders what a painter paints, such as
        `{"region": "background", "prompt": "a pine forest"}`; `style` is a style pack's name, "" takes it off. How far
        a painting is comes to viewers as `paint` messages. Raises `ServerFailed` (501) where nothing is painted."""
        body: dict[str, Any] = {"intensity": intensity}
        body |= _given(emotion=emotion, gesture=gesture, gaze=gaze, motion=motion)
        body |= _given(paint=paint, style=style, style_strength=style_strength)
        await self._call("POST", "/cue", body)

    async def permit_viewer(self, pc_id: str, scopes: Sequence[str]) -> None:
        """Let a viewer do this from now on: some of `view`, `talk`, `direct`, at most one's own. `pc_id` is its
        connection's (`HeadlessViewer.pc_id`). Raises `NotFound` for a connection that has gone."""
        await self._call("PATCH", f"/viewers/{pc_id}", {"scopes": list(scopes)})

    async def open_output(
        self, kind: str, *, url: str = "", secret: str = "", name: str = "", sound: str = "auto"
    ) -> dict[str, Any]:
        """Record (`mp4`, `hls`) or publish (`rtmp`, `srt`, `whip`) the session; its state with its `id`. Takes the
        API key."""
        body = {"kind": kind, "url": url, "secret": secret, "name": name, "sound": sound}
        made: dict[str, Any] = await self._client.request("POST", f"/v1/sessions/{self.id}/outputs", body)
        return made

    async def outputs(self) -> list[dict[str, Any]]:
        """The session's recordings and publications."""
        found: list[dict[str, Any]] = (await self._call("GET", "/outputs"))["outputs"]
        return found

    async def close_output(self, output_id: str) -> dict[str, Any]:
        """End one, with everything it took written or sent; its last state."""
        found: dict[str, Any] = await self._call("DELETE", f"/outputs/{output_id}")
        return found

    async def delete(self) -> None:
        """End the session."""
        await self._call("DELETE", "")

    def viewer(self, **options: Any) -> "HeadlessViewer":
        """A viewer of this session that decodes picture and sound, as a context manager (`client.viewer`)."""
        from client.viewer.viewer import HeadlessViewer

        url = self._client.absolute(self.credentials.offer_url)
        return HeadlessViewer(url, self.credentials.token or self._client.api_key, **options)

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        full = f"/v1/sessions/{self.credentials.id}{path}"
        return await self._client.request(method, full, body, token=self.credentials.token)


def _given(**fields: Any) -> dict[str, Any]:
    """The fields that were set; those left to the server are not sent."""
    return {name: value for name, value in fields.items() if value is not None}


async def _error_of(response: aiohttp.ClientResponse) -> ApiError:
    """A failing answer as its error; a proxy's answer that is no JSON of ours gives its status and reason."""
    try:
        told = (await response.json())["error"]
        message, kind, field, limit = (told.get(name) for name in ("message", "type", "field", "limit"))
    except (aiohttp.ContentTypeError, ValueError, KeyError, TypeError, AttributeError):
        message, kind, field, limit = f"{response.status} {response.reason}", "", None, None
    retry_after = response.headers.get("Retry-After", "")
    return _class_for(response.status)(
        message or f"{response.status} {response.reason}",
        status=response.status,
        kind=kind or "",
        field=field,
        limit=limit,
        retry_after_s=float(retry_after) if retry_after.isdecimal() else None,
    )


def _class_for(status: int) -> type[ApiError]:
    if status in (401, 403):
        return NotAllowed
    if status == 404:
        return NotFound
    if status in (429, 503):
        return Busy
    return ServerFailed if status >= 500 else InvalidRequest
