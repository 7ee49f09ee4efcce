"""The shapes of requests and answers; they check what comes in and describe themselves in the API's specification."""

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from realtime.core.described import MAX_MOTION_CHARS
from realtime.core.paint_orders import MAX_PROMPT_CHARS, MAX_STYLE_CHARS, MAX_STYLE_STRENGTH
from realtime.core.painting import Place
from realtime.core.pressure import Priority
from realtime.core.prompting import MAX_SEED
from server.auth import Scope
from server.routes.reading import Body, LooseBody

Name = Annotated[str, Field(min_length=1, max_length=64)]
Unit = Annotated[float, Field(ge=0.0, le=1.0)]
Factor = Annotated[float, Field(ge=0.5, le=2.0)]
Signed = Annotated[float, Field(ge=-1.0, le=1.0)]


class CreateSession(Body):
    """What a session shall be; every field may be left out."""

    avatar: Name | None = Field(default=None, description="A name of GET /v1/avatars.")
    background: Name | None = Field(
        default=None,
        description="default, transparent (video of double height: premultiplied colours above, their matte below), "
        "blur, #rrggbb, or a name of GET /v1/backgrounds.",
    )
    scene: Name | None = Field(default=None, description="What the session is for.")
    content: Name | None = Field(default=None, description="What the scene is about; see GET /v1/scenes.")
    language: Name | None = Field(default=None, description="BCP 47 tag of what is spoken.")
    voice: Name | None = Field(default=None, description="A name of GET /v1/voices.")
    rate: Factor = Field(default=1.0, description="How fast the voice speaks.")
    pitch: Factor = Field(default=1.0, description="How high the voice speaks.")
    max_response_time_ms: Annotated[int, Field(ge=40, le=60_000)] | None = Field(
        default=None, description="Budget from text to sound."
    )
    partial_update: bool = Field(default=True, description="Build frames from changed regions only.")
    cache_hint: list[Name] = Field(default=[], max_length=32, description="Motion primitives to keep warm.")
    label: str = Field(default="", max_length=200, description="Your own name for the session.")
    priority: Priority = Field(
        default="normal",
        description="Low gives way before other sessions where there is too little processor time, high after them; "
        "high takes the server key.",
    )


class Say(Body):
    """Something to be spoken exactly; either `text` (inline tags allowed) or `ssml`."""

    text: str | None = Field(default=None, description="Text, with tags such as [happy], [wave], [pause:0.4].")
    ssml: str | None = Field(default=None, description="A <speak> document.")
    emotion: Name | None = Field(default=None, description="One of the seven emotions.")
    intensity: Unit = Field(default=1.0, description="Of the emotion.")
    interrupt: bool = Field(default=False, description="Drop what is being said first.")


class Chat(Body):
    """Something to be answered."""

    text: str = Field(description="What the viewer says.")


class CommentItem(Body):
    """What a viewer wrote or did."""

    kind: Literal["comment", "gift", "order", "join"] = Field(default="comment", description="What it is.")
    text: str = Field(default="", max_length=500, description="The words; for a gift or an order, its name.")
    viewer: str = Field(default="", max_length=64, description="The name it is said with.")
    priority: Annotated[float, Field(ge=0.0, le=10.0)] = Field(default=0.0, description="Added to the kind's own.")
    amount: Annotated[float, Field(ge=0.0, le=1e6)] = Field(default=1.0, description="How many, of gifts and orders.")


class Comments(Body):
    """What viewers wrote and did."""

    items: list[CommentItem] = Field(min_length=1, max_length=200)


class CommentsTaken(BaseModel):
    """What became of them: how many were new, merged, empty, repeated, full, blocked."""

    outcomes: dict[str, int]


class DirectorAction(Body):
    """A person's intervention at the director's desk."""

    action: str = Field(max_length=64, description="hold, release, approve, skip, replace, skip_shot ...")
    id: str = Field(default="", max_length=128, description="Of the held line, the shot or the waiting question.")
    text: str = Field(default="", max_length=600, description="What is said instead.")


class CueBody(Body):
    """A direction to the avatar; at least one of emotion, gesture, motion, gaze, prompt, paint and style."""

    emotion: Name | None = Field(default=None, description="One of the seven emotions.")
    intensity: Unit = Field(default=1.0, description="Of the emotion.")
    gesture: Name | None = Field(default=None, description="A gesture of GET /v1/primitives.")
    motion: Annotated[str, Field(min_length=1, max_length=MAX_MOTION_CHARS)] | None = Field(
        default=None, description="A gesture in free words, English or Chinese: greets the audience warmly."
    )
    gaze: Annotated[list[Signed], Field(min_length=2, max_length=2)] | None = Field(
        default=None, description="[x, y], positive to the picture's right and down; [0, 0] looks at the viewer."
    )
    prompt: dict[str, Any] | None = Field(
        default=None, description="A structured prompt: sets light, palette, camera, face, gesture and voice."
    )
    paint: "PaintBody | None" = Field(default=None, description="Paint a region anew; takes a painter.")
    style: Annotated[str, Field(max_length=MAX_STYLE_CHARS)] | None = Field(
        default=None, description="A name of GET /v1/styles for what is painted; empty takes it off."
    )
    style_strength: Annotated[float, Field(ge=0.0, le=MAX_STYLE_STRENGTH)] = Field(
        default=1.0, description="Of the style."
    )


class PaintBody(Body):
    """What is to be painted; the picture changes tile by tile while the avatar goes on. The limits are described here
    and kept by `realtime.core.paint_orders`, for the data channel as well."""

    region: Place = Field(description="Behind, on or before the avatar.")
    prompt: str | dict[str, Any] = Field(description="What is to be seen: words, or a structured prompt.")
    negative_prompt: str = Field(default="", max_length=MAX_PROMPT_CHARS, description="What must not appear.")
    strength: Annotated[float, Field(gt=0.0, le=1.0)] | None = Field(
        default=None, description="How much of what was there is given up; 0.8 behind, 0.6 on, 1 before the avatar."
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = Field(default=None, description="Equal seeds paint alike.")


class RequestData(LooseBody):
    """The caller's own part of a SmallWebRTC offer."""

    session: str | None = None
    token: str | None = None


class Offer(LooseBody):
    """A SmallWebRTC offer."""

    sdp: Annotated[str, Field(min_length=1)]
    type: str = Field(pattern="^offer$")
    pc_id: str | None = Field(default=None, max_length=128, description="The connection that is renegotiated.")
    restart_pc: bool | None = Field(default=None, description="Replace that connection by a new one.")
    session: str | None = Field(default=None, description="The session to watch.")
    token: str | None = Field(default=None, description="Its token, where no Authorization header can be sent.")
    request_data: RequestData = Field(
        default=RequestData(),
        validation_alias=AliasChoices("request_data", "requestData"),
        description="May hold both, too.",
    )


class Candidate(LooseBody):
    """One ICE candidate; an empty one ends them."""

    candidate: str = Field(max_length=2000)
    sdp_mid: str | None = Field(default=None, validation_alias=AliasChoices("sdp_mid", "sdpMid"), max_length=64)
    sdp_mline_index: int | None = Field(
        default=None, validation_alias=AliasChoices("sdp_mline_index", "sdpMLineIndex"), ge=0, le=1000
    )


class Trickle(LooseBody):
    """ICE candidates found after the offer."""

    pc_id: str = Field(max_length=128)
    candidates: list[Candidate] = Field(max_length=100)
    session: str | None = None
    token: str | None = None


class Answer(BaseModel):
    """The answer to an offer."""

    sdp: str
    type: str
    pc_id: str


class Created(BaseModel):
    """A new session."""

    id: str
    token: str = Field(description="Opens this session only. Give it to the browser, never the server key.")
    expires_at: str = Field(description="RFC 3339; every use of the token puts it off.")
    ice_servers: list[dict[str, Any]]
    offer_url: str = Field(description="Where offers go, with the session in it.")
    whep_url: str = Field(description="Where WHEP players play it from.")
    whip_url: str = Field(description="Where WHIP clients publish a camera or microphone to it.")
    public: bool = Field(description="A visitor without the key opened it: it ends in time.")


class NewToken(Body):
    """What a further token shall allow."""

    scopes: list[Scope] = Field(
        min_length=1, max_length=3,
        description="view: watch, read the state. talk: ask and interrupt. direct: speak through it, cue it, end it.",
    )  # fmt: skip


class NewTokenMade(BaseModel):
    """A further token."""

    token: str
    scopes: list[str]


class ViewerScopes(Body):
    """What a viewer shall be allowed from now on."""

    scopes: list[Scope] = Field(min_length=1, max_length=3, description="At most those of who grants them.")


class ViewerPermitted(BaseModel):
    """What a viewer may do now."""

    pc_id: str
    scopes: list[str]


class SessionState(BaseModel):
    """A session as it is now, with counters of what it did."""

    model_config = ConfigDict(extra="allow")

    id: str
    expires_at: str | None
    offer_url: str
    whep_url: str
    whip_url: str
    viewers: int


class Accepted(BaseModel):
    """The request was taken and is being carried out."""

    accepted: bool = True


class Silenced(BaseModel):
    """The host is silent; whatever carries an older epoch is dropped."""

    epoch: int


class ErrorDetail(BaseModel):
    """What went wrong."""

    type: str
    message: str
    field: str | None = Field(description="What the error is about.")
    limit: str | None = Field(description="What is allowed.")


class Failure(BaseModel):
    """Every failing answer."""

    error: ErrorDetail
