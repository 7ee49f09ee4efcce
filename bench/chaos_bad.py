"""What `bench.chaos` sends that no client should: bad requests, each with the statuses it may get, and bad sockets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

JSON: Final = "application/json"
SDP: Final = "application/sdp"
GONE: Final = frozenset({401, 403, 404, 429, 503})
"""Any request may get these: its session may have ended, its token with it, or there is no room just now."""


@dataclass(frozen=True, slots=True)
class Bad:
    """One bad request. `{id}`, `{pc_id}` and `{other}` in path and body are this session, its connection, and another
    user's session."""

    method: str
    path: str
    body: bytes = b""
    kind: str = JSON
    expected: frozenset[int] = frozenset({422})
    headers: Mapping[str, str] = field(default_factory=dict)
    bearer: str = "own"
    """Whose credentials: `own`, `other` (another user's), `key`, `none`, or themselves."""


def _post(path: str, body: Any, *expected: int, bearer: str = "own", kind: str = JSON) -> Bad:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Bad("POST", path, raw, kind, frozenset(expected or (422,)), bearer=bearer)


_SAY: Final = "/v1/sessions/{id}/say"
_CUE: Final = "/v1/sessions/{id}/cue"
_CREATE: Final = "/v1/sessions"
_OFFER: Final = "/api/offer?session={id}"
_NO_MEDIA: Final = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
_BROKEN: Final = _NO_MEDIA + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=rtpmap:96 H264\r\n"
_FORM: Final = "multipart/form-data; boundary=cut"
_FILE: Final = (
    b'--cut\r\nContent-Disposition: form-data; name="sessionid"\r\n\r\n{id}\r\n'
    b'--cut\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF nothing\r\n--cut--\r\n'
)

REQUESTS: Final[Mapping[str, Bad]] = {
    "half an object": _post(_SAY, b'{"text": "hel', 400),
    "a list": _post(_SAY, [1, 2], 400),
    "no body": _post(_SAY, b"", 400),
    "no utf-8": _post(_SAY, b'{"text": "\xff\xfe"}', 400),
    "half a surrogate": _post(_SAY, b'{"text": "\\ud800"}', 400),
    "not a number": _post(_SAY, b'{"text": "a", "intensity": NaN}', 400),
    "a deep object": _post(_SAY, b'{"text":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "a long number": _post(_SAY, b'{"text": "a", "intensity": ' + b"9" * 10_000 + b"}", 400, 422),
    "another type": _post(_SAY, b"<speak/>", 415, kind="application/xml"),
    "an unknown field": _post(_SAY, {"text": "a", "voise": "b"}),
    "blanks": _post(_SAY, {"text": " \n\t "}),
    "nothing to say": _post(_SAY, {}),
    "text and ssml": _post(_SAY, {"text": "a", "ssml": "<speak>a</speak>"}),
    "unclosed ssml": _post(_SAY, {"ssml": "<speak><p>a</speak>"}, 400, 422),
    "ssml with a document type": _post(_SAY, {"ssml": "<!DOCTYPE a [<!ENTITY b 'c'>]><speak>&b;</speak>"}, 400, 422),
    "an unknown tag": _post(_SAY, {"text": "[fly] Up!"}),
    "a long text": _post(_SAY, {"text": "word " * 2000}, 413),
    "a large body": _post(_SAY, {"text": "word " * 80_000}, 413),
    "a very large body": _post(_SAY, b" " * (18 << 20), 413),
    "an emotion that is none": _post(_CUE, {"emotion": "hungry"}),
    "too much of an emotion": _post(_CUE, {"emotion": "happy", "intensity": 1e308}),
    "an unknown gesture": _post(_CUE, {"gesture": "../nod"}),
    "a loop as a gesture": _post(_CUE, {"gesture": "idle"}),
    "gaze in words": _post(_CUE, {"gaze": ["left", "up"]}),
    "no cue": _post(_CUE, {}),
    "motion without words": _post(_CUE, {"motion": ""}),
    "motion nobody knows": _post(_CUE, {"motion": "qwertz uiop asdf"}),
    "a prompt that is none": _post(_CUE, {"prompt": {"light": {"key": [[[]]]}}}, 400, 422),
    "paint without a painter": _post(_CUE, {"paint": {"region": "background", "prompt": "a"}}, 422, 501),
    "an unknown avatar": _post(_CREATE, {"avatar": "nobody"}, bearer="key"),
    "an avatar up the tree": _post(_CREATE, {"avatar": "../../etc/passwd"}, bearer="key"),
    "an unknown scene": _post(_CREATE, {"scene": "opera"}, bearer="key"),
    "content up the tree": _post(_CREATE, {"scene": "commerce", "content": "../../../etc/passwd"}, bearer="key"),
    "a background that is none": _post(_CREATE, {"background": "#12345"}, bearer="key"),
    "an unknown hint": _post(_CREATE, {"cache_hint": ["nod", "fly"]}, bearer="key"),
    "an unknown language": _post(_CREATE, {"language": "tlh"}, bearer="key"),
    "a session with a token": _post(_CREATE, {}, 403),
    "a session without a key": _post(_CREATE, {}, 401, bearer="none"),
    "no token": _post(_SAY, {"text": "a"}, 401, bearer="none"),
    "a wrong token": _post(_SAY, {"text": "a"}, 401, bearer="not-a-token-of-anybody"),
    "somebody else's token": _post(_SAY, {"text": "a"}, 403, bearer="other"),
    "a token in other letters": _post(_SAY, {"text": "a"}, 401, bearer="schlüssel-ключ-钥匙"),
    "a scope that is none": _post("/v1/sessions/{id}/tokens", {"scopes": ["root"]}, bearer="key"),
    "a viewer that is none": Bad(
        "PATCH", "/v1/sessions/{id}/viewers/nobody-at-all", b'{"scopes": ["view"]}', expected=frozenset({404})
    ),
    "an offer of nothing": _post(_OFFER, {"sdp": "", "type": "offer"}),
    "an offer that is no SDP": _post(_OFFER, {"sdp": "hello", "type": "offer"}, 400, 422),
    "an offer without media": _post(_OFFER, {"sdp": _NO_MEDIA, "type": "offer"}, 400, 422),
    "a broken offer": _post(_OFFER, {"sdp": _BROKEN, "type": "offer"}, 400, 422),
    "a long offer": _post(_OFFER, {"sdp": _NO_MEDIA + "a=x\r\n" * 30_000, "type": "offer"}, 400, 413, 422),
    "an answer for an offer": _post(_OFFER, {"sdp": _NO_MEDIA, "type": "answer"}),
    "an unknown connection": _post(_OFFER, {"sdp": _NO_MEDIA, "type": "offer", "pc_id": "nobody-at-all"}, 400, 404),
    "a candidate that is none": Bad(
        "PATCH", _OFFER, b'{"pc_id": "{pc_id}", "candidates": [{"candidate": "candidate:a b c", "sdp_mid": "0"}]}',
        expected=frozenset({400, 404, 422}),
    ),
    "WHEP of JSON": _post("/whep/{id}", {}, 415),
    "WHEP of nonsense": _post("/whep/{id}", b"v=9\x00\xff", 400, 422, kind=SDP),
    "WHIP of nonsense": _post("/whip/{id}", b"v=0\r\nm=audio x y z\r\n", 400, 422, kind=SDP),
    "an unknown resource": Bad("DELETE", "/whep/{id}/nobody-at-all", expected=frozenset({404})),
    "an unknown number": _post("/human", {"sessionid": 999_999, "text": "a", "type": "echo"}, 404),
    "a number in words": _post("/is_speaking", {"sessionid": {"a": 1}}, 400, 422),
    "sound that is none": _post("/humanaudio", _FILE, 400, 415, 422, kind=_FORM),
    "half a form": _post("/humanaudio", _FILE[:60], 400, 415, 422, kind=_FORM),
    "a picture that is none": _post("/v1/backgrounds", b"\x89PNG\r\n\x1a\n" + b"x" * 500, 400, 415, 422, bearer="key",
                                    kind="image/png"),
    "a DashScope field too many": _post(
        "/api/v1/services/aigc/video-generation", {"model": "mei", "input": {"prompt": "a"}, "extra": 1}, bearer="key"
    ),
    "too many comments": _post("/v1/sessions/{id}/comments", {"items": [{"text": "a"}] * 201}),
    "an action that is none": _post("/v1/sessions/{id}/director", {"action": "explode"}, bearer="key"),
    "an output to nowhere": _post(
        "/v1/sessions/{id}/outputs", {"kind": "rtmp", "url": "rtmp://127.0.0.1:1/live/a"}, 400, 422, bearer="key"
    ),
    "a recording up the tree": _post(
        "/v1/sessions/{id}/outputs", {"kind": "mp4", "name": "../../../tmp/a"}, 400, 422, bearer="key"
    ),
    "an unknown path": Bad("GET", "/v1/nothing/../..//%2e%2e/%00%ff", expected=frozenset({400, 404})),
    "an unknown method": Bad("BREW", "/v1/sessions", expected=frozenset({400, 405})),
    "another method": Bad("PUT", "/v1/sessions", expected=frozenset({405})),
    "another site's page": Bad("GET", "/v1/sessions/{id}", expected=frozenset({403}), headers={"Origin": "https://x.example"}),
    "a session of another shape": Bad("GET", "/v1/sessions/%F0%9F%99%82%0d%0a", expected=frozenset({400, 404})),
}  # fmt: skip
"""By name."""

_HEAD: Final = b"POST /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
SOCKETS: Final[Mapping[str, tuple[bytes, ...]]] = {
    "half a request, half closed": (_HEAD + b"Content-Length: 100\r\n\r\n{", b"half close"),
    "half a request, reset": (_HEAD + b"Content-Length: 100\r\n\r\n{", b"reset"),
    "half a header, left open": (_HEAD[:50], b"leave open"),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), b"read"),
    "a long header": (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n", b"read"),
    "a header of odd bytes": (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Odd: \xff\xfe\x80\r\n\r\n", b"read"),
    "a token of odd bytes": (
        b"GET /v1/voices HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \xff\xfe\x80\r\n\r\n", b"read",
    ),
    "a path of odd bytes": (b"GET /v1/\xff\xfe%zz?\x80=%ff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"read"),
    "a whole address": (b"GET http://[::1/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"read"),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", b"read"),
    "two lengths": (_HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", b"read"),
    "a length and chunks": (_HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}", b"read"),
    "bad chunks": (_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", b"read"),
    "a packing that is none": (_HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", b"read"),
    "many at once": (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200, b"reset"),
    "a WebSocket, half closed": (
        b"GET /v1/sessions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", b"half close",
    ),
}  # fmt: skip
"""Bytes on a bare connection, and what then happens to it."""
