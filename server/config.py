"""All settings of the server in one frozen value; with `server.cli`, the only place that reads the environment."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from realtime.core.errors import ConfigError
from realtime.core.units import FRAME_RATE_HZ
from server.media.codecs import VIDEO_CODECS
from server.settings import (
    IceServer,
    check,
    is_ipv4,
    port_range,
    setting,
)

PREFIX = "ANIMA_"
CPU_SHARE_LEAST = 0.01
SESSIONS_PER_MIN_LEAST = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings. Build one with `load`, or directly in tests; both check every range."""

    host: str = setting("127.0.0.1")
    """Address to listen on. Any address that is not loopback needs `api_keys`."""
    port: int = setting(8080, low=0, high=65535)
    """TCP port to listen on; 0 takes a free one."""
    tls_cert: Path | None = setting(None)
    """PEM file with the certificate chain to serve HTTPS with; none serves HTTP, for loopback or behind a proxy."""
    tls_key: Path | None = setting(None)
    """PEM file with the private key of that certificate."""
    public_url: str = setting("")
    """Address under which clients reach the server behind a proxy; empty gives addresses without a host."""
    proxy_hops: int = setting(0, low=0, high=10)
    """How many proxies stand in front: a viewer's address is read that far from the right of X-Forwarded-For."""
    api_keys: tuple[str, ...] = setting((), secret=True)
    """Server keys; each may create sessions and reach all of them. At least 16 characters each."""
    allowed_origins: tuple[str, ...] = setting(())
    """Origins of other sites whose pages may call this server, such as https://shop.example; * allows all."""
    public_sessions: int = setting(0, low=0, high=1000)
    """Sessions that visitors of the page may have at once without a key; workers divide them. 0 keeps visitors out."""
    public_part: int = setting(1000, low=0, high=1000)
    """How many of these this process opens at most; a server with several workers tells each its part by itself."""
    public_session_s: float = setting(600.0, low=10.0, high=86400.0)
    """How long such a session lasts at most."""
    page: bool = setting(True)
    """Whether the page at / and the browsable API at /docs are served."""

    avatar: str = setting("")
    """Avatar of sessions that name none; empty takes the catalogue's first."""
    language: str = setting("en")
    """Language of sessions that name none (BCP 47)."""
    voice: str = setting("default")
    """Voice of sessions that name none."""
    knowledge: Path | None = setting(None)
    """File that chat answers come from when no LLM is set; none takes the bundled one."""
    packs_dir: Path | None = setting(None)
    """Where baked avatar packs lie; none takes the user's cache directory."""
    primitives_dir: Path | None = setting(None)
    """Where recorded motion primitives lie; none takes the user's data directory."""
    fps: int = setting(FRAME_RATE_HZ, low=5, high=FRAME_RATE_HZ)
    """Frames per second a session starts with."""

    workers: int = setting(1, low=1, high=64)
    """Server processes. With more than one, this address passes HTTP on to them and media flows from each directly."""
    pressure_note: Path | None = setting(None)
    """Where a worker tells the others of pressure; a server with several workers gives each of them one by itself."""
    max_sessions: int = setting(8, low=1, high=1000)
    """Sessions that may run at once, however little they cost; workers divide them, at least one each."""
    max_viewers: int = setting(250, low=1, high=10000)
    """Viewers that may watch one session at once; a core carries about 300 (docs/transport.md)."""
    cpu_share: float = setting(0.85, low=CPU_SHARE_LEAST, high=1.0)
    """Share of all CPU cores that sessions together may use before another one is refused; workers divide it evenly."""
    session_idle_timeout_s: float = setting(120.0, low=1.0, high=86400.0)
    """A session that no viewer has joined and no request has used for this long ends."""
    rejoin_timeout_s: float = setting(60.0, low=1.0, high=86400.0)
    """A session whose viewers have all left, and that no request uses, ends after this long."""
    join_timeout_s: float = setting(15.0, low=1.0, high=120.0)
    """A viewer that made an offer has this long to connect."""
    token_ttl_s: float = setting(600.0, low=10.0, high=86400.0)
    """How long a session's token is valid after its last use; while viewers watch it does not expire."""
    drain_timeout_s: float = setting(5.0, low=0.0, high=300.0)
    """How long a shutdown waits for running sessions to end."""

    llm_base_url: str = setting("")
    """OpenAI-compatible endpoint that answers chat; empty answers from the knowledge file."""
    llm_model: str = setting("")
    """Model to ask for at that endpoint."""
    llm_api_key: str = setting("", secret=True)
    """Key for that endpoint."""
    llm_api_key_env: str = setting("")
    """Name of another environment variable that holds this key, such as DASHSCOPE_API_KEY."""
    llm_timeout_s: float = setting(15.0, low=0.5, high=300.0)
    """Longest wait for that endpoint's first words, after which the host apologises, in seconds."""

    motion_threshold: float = setting(0.88, low=0.0, high=1.0)
    """Similarity from which a free description plays the motion it is nearest to; below it none is played."""
    motion_search: Literal["numpy", "faiss"] = setting("numpy")
    """What searches motions and earlier answers; faiss needs the extra `search`."""
    answer_cache_mb: int = setting(8, low=0, high=1024)
    """Memory for a language model's answers, given again to first questions that mean the same; 0 keeps none."""
    answer_cache_ttl_s: float = setting(900.0, low=1.0, high=86400.0)
    """How long such an answer is given again."""
    speech_cache_mb: int = setting(32, low=0, high=4096)
    """Memory for spoken sentences, which sound again without being synthesised; 0 keeps none."""

    voices_dir: Path | None = setting(None)
    """Folder with Piper and Kokoro voices in ONNX files of your own (docs/voices.md)."""
    tts_base_url: str = setting("")
    """OpenAI-compatible endpoint that speaks with the voices `tts_voices`; empty takes none."""
    tts_model: str = setting("tts-1")
    """Model to ask for at that endpoint."""
    tts_voices: tuple[str, ...] = setting(())
    """Names of voices of that endpoint; sessions and `voice` may name them."""
    tts_api_key: str = setting("", secret=True)
    """Key for that endpoint."""

    hearing: bool = setting(True)
    """Whether viewers may speak to the host; needs a recogniser for the session's language, see docs/hearing.md."""
    max_microphones: int = setting(4, low=1, high=64)
    """Microphones that are listened to at once in one session; more are ignored."""
    asr_model_dir: Path | None = setting(None)
    """Directory of a Whisper model in CTranslate2's format; none takes the bundled English one."""
    asr_base_url: str = setting("")
    """OpenAI-compatible endpoint that recognises speech; empty recognises it here."""
    asr_model: str = setting("whisper-1")
    """Model to ask for at that endpoint."""
    asr_api_key: str = setting("", secret=True)
    """Key for that endpoint."""
    asr_timeout_s: float = setting(8.0, low=0.5, high=60.0)
    """Longest wait for that endpoint, after which the viewer is asked to repeat, in seconds."""

    ice_servers: tuple[IceServer, ...] = setting(())
    """STUN and TURN servers for viewers and server; addresses, or {urls, username, credential}."""

    turn_urls: tuple[str, ...] = setting(())
    """Addresses of TURN servers that share `turn_secret`, such as turn:turn.example:3478?transport=tcp."""
    turn_secret: str = setting("", secret=True)
    """The secret shared with those servers (coturn's static-auth-secret); viewers get credentials made from it."""
    turn_ttl_s: float = setting(3600.0, low=60.0, high=86400.0)
    """How long such credentials can be used to make a connection."""
    video_codecs: tuple[str, ...] = setting(VIDEO_CODECS)
    """Codecs of the picture, best first: a viewer gets the first of them that it offers (docs/transport.md)."""
    nvenc: Literal["auto", "off"] = setting("auto")
    """Whether H.264 is encoded on an NVIDIA card where there is one; off leaves it to the processor."""
    server_relay: bool = setting(False)
    """Whether the server too is reached through those TURN servers, where no packet from outside reaches it."""
    udp_ports: str = setting("")
    """UDP ports for media, such as 50000-50199, one per viewer and address; empty takes any free one."""
    ice_tcp_port: int = setting(0, low=0, high=65535)
    """TCP port for media of viewers whose network lets no UDP out; 0 takes none. Each worker takes the next one."""
    public_address: str = setting("")
    """IPv4 address that viewers are told instead of the machine's own, where a 1:1 NAT stands in front of it."""

    painter: Path | None = setting(None)
    """Directory of an inpainting or img2img checkpoint in diffusers' format (docs/painted.md); none paints nothing."""
    painter_share: float = setting(0.5, low=0.05, high=1.0)
    """Share of its thread's time that the painter takes; it rests for the remainder."""
    styles_dir: Path | None = setting(None)
    """Folder with style packs (docs/style_packs.md); none takes the user's data folder."""
    style_licences: tuple[str, ...] = setting(
        ("apache-2.0", "mit", "bsd-3-clause", "cc0-1.0", "cc-by-4.0", "creativeml-openrail-m", "openrail++")
    )
    """Licences of style packs that may be used."""

    prompts_dir: Path | None = setting(None)
    """Folder that structured prompts and their versions are kept in; none takes the user's state folder."""
    scenes_dir: Path | None = setting(None)
    """Folder with scene content of your own (docs/scenes.md); it is read beside what comes with Anima."""
    safety_packs: tuple[str, ...] = setting(("en", "zh"))
    """Rule packs of the regions that viewers are in (docs/safety.md); the common pack always holds."""
    safety_dir: Path | None = setting(None)
    """Folder with rule packs of your own; one with the name of a bundled pack takes its place."""
    recordings_dir: Path | None = setting(None)
    """Where recordings are written; none takes the user's data directory."""
    recordings_quota_mb: int = setting(10_000, low=1, high=1_000_000_000)
    """Megabytes that all recordings together may take; what would exceed them is refused or ends."""
    output_hosts: tuple[str, ...] = setting(())
    """Hosts that sessions may be published to, such as *.example.com; empty allows every public address."""
    output_private: bool = setting(False)
    """Whether sessions may be published to addresses that are not public, such as a media server on the own network."""
    output_ca: Path | None = setting(None)
    """PEM file with authorities that certificates of rtmps and https targets may be signed by, beside the system's."""

    denoiser: str = setting("auto")
    """Weights that repair mouth and eyes: auto takes Anima's own where they improve an avatar, off none; or a path."""
    denoiser_precision: Literal["auto", "fp32", "fp16", "int8", "nf4"] = setting("auto")
    """Numbers that they are computed in; auto takes the fastest here, anything else is had or stops the start."""
    denoiser_device: Literal["auto", "cpu", "cuda", "tensorrt"] = setting("auto")
    """What they are computed on; auto takes an NVIDIA card where there is one (docs/models.md)."""
    mouth_net: Path | None = setting(None)
    """Folder with a net of MuseTalk's shape that makes portraits' mouths from sound (docs/mouth_net.md)."""

    ai_label: Literal[
        "top-left", "top", "top-right", "bottom-left", "bottom", "bottom-right", "off"
    ] = setting("bottom")  # fmt: skip
    """Edge or corner of the picture with the visible label that it was generated; off shows none."""
    ai_label_language: str = setting("")
    """Language of that label (BCP 47); empty takes the session's."""
    watermark: bool = setting(True)
    """Whether pictures carry the invisible mark that `anima verify` reads (docs/marks.md)."""
    provenance_log: Path | None = setting(None)
    """File with what each mark points to, one JSON object per line; none takes the user's state folder."""

    event_log_dir: Path | None = setting(None)
    """Folder for event logs, from which `anima replay` makes a session's frames again; none records nothing."""
    event_log_text: bool = setting(False)
    """Whether event logs hold what viewers and host said; phoneme times of the speech are in them in any case."""
    otel_endpoint: str = setting("")
    """Address that traces are sent to by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; empty sends none."""
    motion_cache_mb: int = setting(256, low=0, high=100_000)
    """Disk space for base frames that were drawn on demand, which the next start finds ready; 0 keeps none."""

    audit_log: Path | None = setting(None)
    """File that interventions are recorded in, one JSON object per line; empty is the user's state folder."""
    audit_text: bool = setting(False)
    """Whether the audit log holds the texts themselves, not only their length and digest."""

    text_limit_chars: int = setting(5000, low=1, high=100_000)
    """Longest text that one say or chat may hold."""
    body_limit_bytes: int = setting(262_144, low=1024, high=16_777_216)
    """Largest request body."""
    requests_per_s: float = setting(50.0, low=0.1, high=10_000.0)
    """Requests per second, address and worker, in the long run; four seconds' worth may come at once."""
    sessions_per_min: float = setting(60.0, low=SESSIONS_PER_MIN_LEAST, high=10_000.0)
    """New sessions per minute and address; workers divide it."""
    key_requests_per_s: float = setting(500.0, low=0.1, high=10_000.0)
    """The same per server key instead of address, for requests that show one."""
    key_sessions_per_min: float = setting(600.0, low=SESSIONS_PER_MIN_LEAST, high=10_000.0)
    """New sessions per minute and server key; workers divide it."""
    messages_per_s: float = setting(30.0, low=0.1, high=10_000.0)
    """Data-channel messages per second and viewer, in the long run; two seconds' worth may come at once."""

    log_level: Literal["debug", "info", "warning", "error"] = setting("info")
    """Least severity that is logged."""
    log_format: Literal["text", "json"] = setting("text")
    """Lines for people, or one JSON object per line."""

    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        check(self, self.sources)
        if any(len(key) < 16 or not key.isascii() or not key.isprintable() for key in self.api_keys):
            raise ConfigError(f"api_keys ({self.source('api_keys')}): each key has at least 16 printable characters")
        if self.llm_base_url and not self.llm_base_url.startswith(("http://", "https://")):
            raise ConfigError(f"llm_base_url ({self.source('llm_base_url')}) begins with http:// or https://")
        if self.llm_base_url and not self.llm_model:
            raise ConfigError(f"llm_model ({self.source('llm_model')}) is empty: llm_base_url needs a model")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigError(f"tls_cert ({self.source('tls_cert')}) and tls_key are set together, or neither")
        if self.asr_base_url and not self.asr_base_url.startswith(("http://", "https://")):
            raise ConfigError(f"asr_base_url ({self.source('asr_base_url')}) begins with http:// or https://")
        if bool(self.turn_urls) != bool(self.turn_secret):
            raise ConfigError(f"turn_urls ({self.source('turn_urls')}) and turn_secret are set together, or neither")
        for name in self.video_codecs:
            if name not in VIDEO_CODECS:
                source, known = self.source("video_codecs"), ", ".join(VIDEO_CODECS)
                raise ConfigError(f"video_codecs ({source}): {name!r} is none of {known}")
        if any(not url.startswith(("turn:", "turns:")) for url in self.turn_urls):
            raise ConfigError(f"turn_urls ({self.source('turn_urls')}): each begins with turn: or turns:")
        if self.public_address and not is_ipv4(self.public_address):
            source = self.source("public_address")
            raise ConfigError(f"public_address = {self.public_address!r} ({source}) is no IPv4 address")
        self.udp_port_range  # noqa: B018  # raises for a wrong one
        if self.ice_tcp_port and self.ice_tcp_port <= self.port < self.ice_tcp_port + self.workers:
            raise ConfigError(f"ice_tcp_port ({self.source('ice_tcp_port')}) and port are two ports, not one")
        if self.ice_tcp_port + self.workers > 65536:
            raise ConfigError(f"ice_tcp_port ({self.source('ice_tcp_port')}) leaves no port for each of the workers")
        if not self.is_loopback and not self.api_keys:
            raise ConfigError(
                f"host = {self.host!r} ({self.source('host')}) is reachable from outside, and api_keys is empty: set "
                f"{PREFIX}API_KEYS to a key of at least 16 characters, or listen on 127.0.0.1"
            )

    def source(self, name: str) -> str:
        """Where a setting's value came from."""
        return self.sources.get(name, "default")

    @property
    def provenance_path(self) -> Path:
        """Where provenance records lie."""
        from platformdirs import user_state_path

        return self.provenance_log or user_state_path("anima") / "provenance.jsonl"

    @property
    def recordings_path(self) -> Path:
        """Where recordings lie."""
        from platformdirs import user_data_path

        return self.recordings_dir or user_data_path("anima") / "recordings"

    @property
    def packs_path(self) -> Path:
        """Where baked avatar packs lie."""
        if self.packs_dir is not None:
            return self.packs_dir
        from platformdirs import user_cache_path

        return user_cache_path("anima") / "avatars"

    @property
    def primitives_path(self) -> Path:
        """Where recorded motion primitives lie."""
        from platformdirs import user_data_path

        return self.primitives_dir or user_data_path("anima") / "primitives"

    @property
    def udp_port_range(self) -> range:
        """`udp_ports` as numbers; empty where any port may be used. Raises `ConfigError`."""
        try:
            return port_range(self.udp_ports)
        except ValueError as error:
            raise ConfigError(f"udp_ports = {self.udp_ports!r} ({self.source('udp_ports')}): {error}") from None

    def secrets(self) -> list[str]:
        """What must never reach a log."""
        return [
            *self.api_keys, self.llm_api_key, self.asr_api_key, self.tts_api_key, self.turn_secret,
            *(server.credential for server in self.ice_servers),
        ]  # fmt: skip

    @property
    def is_loopback(self) -> bool:
        """Whether the server can be reached from this machine only."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
