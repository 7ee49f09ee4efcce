"""Picks what stands behind the ports and puts a server together; the only module of `server` that knows the models."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from aiortc import RTCIceServer
from platformdirs import user_state_path

from models.avatar.gallery import adopt
from models.avatar.presets import DEFAULT
from models.avatar.projection import PICTURE_PX, base_key
from models.hearing.detector import SileroDetector
from models.hearing.endpoint import EndpointTranscriber, HearingSpec
from models.hearing.whisper import WhisperTranscriber, packaged_model
from models.language.content import Library
from models.language.knowledge_file import load_knowledge
from models.language.motion.search import describing
from models.language.openai_chat import ChatSpec, OpenAIAnswerer
from models.language.retrieval import KnowledgeAnswerer
from models.language.reuse.assembly import MIB, answer_store, reusing
from models.marks.label import label
from models.safety.audit import AuditLog
from models.safety.filter import SafetyFilter
from models.safety.rules import load_packs
from models.speech.endpoint import SpeakingSpec
from models.speech.ensemble import ensemble
from models.speech.espeak import EspeakVoice
from models.speech.remembered import RememberedVoice
from models.staging.collection import Collection, whole_picture
from models.vision.motions import Motions
from realtime.compute import ComputeThread
from realtime.core.clips import BAKED, PRIMITIVES
from realtime.core.primitives import Primitive, clip_controls
from realtime.core.values import BaseKey, VoiceSpec
from realtime.ports import Answerer, Avatar, Transcriber
from realtime.programme import Programmes, Safety
from realtime.stock import Stock
from server.config import Config
from server.denoising.compose import Denoising, compute_of
from server.event_log import event_logs
from server.ice_servers import ice_options, turn_servers
from server.marks import NO_SOURCE, Marks, Source
from server.media.codecs import video_codec
from server.metrics import Metrics
from server.mouths.compose import mouths
from server.painting.compose import paints
from server.portrait_tasks import PortraitTasks, clearing
from server.provenance import ProvenanceLog
from server.reuse import count_reuse
from server.rtc.peer import PeerOptions
from server.sessions.hearing import HearingParts
from server.sessions.manager import SessionManager
from server.sessions.shared import Shared
from server.settings import IceServer
from server.shelves import Shelves
from server.surfaces import AvatarInfo, Progress, VoiceInfo
from server.telemetry import telemetry
from server.wardrobe import Wardrobe

log = logging.getLogger(__name__)

WARM_TEXT: Final = {"en": "Hello.", "zh": "你好。"}
"""Spoken to nobody at start, so that the first viewer does not wait for dictionaries to load."""


class Server:
    """Everything behind the HTTP application. Built before the event loop runs, started on it."""

    def __init__(self, config: Config, stocks: Mapping[str, Stock], answerer: Answerer) -> None:
        self.metrics = Metrics()
        self._voice = ensemble(_speaking(config), config.voices_dir)
        self._answerer = answerer
        self._compute = ComputeThread()
        self._avatars = collection(config)
        self.backgrounds, self.paints = self._avatars.pictures, paints(config, self._avatars)
        self._shelves = Shelves(config, self._avatars.pack, self.metrics)
        self._stocks = Wardrobe(stocks, self._avatars.open_aside, self._shelves.of)
        clear = clearing(self._avatars.remove_portrait, self._stocks.forget, self._shelves.forget)
        self.portraits = PortraitTasks(config.packs_path, lambda: {info.name for info in self.avatars()}, clear)
        self.metrics.gauge("stock_bytes", "Ready pixels held", self._stocks.size_bytes)
        answers = answer_store(
            config.answer_cache_mb, config.answer_cache_ttl_s, config.motion_search, config.safety_packs,
            config.safety_dir,
        )  # fmt: skip
        host, prompted = reusing(answerer, answers)
        self._library = Library(host, config.scenes_dir, prompted)
        voice = RememberedVoice(self._voice, config.speech_cache_mb * MIB)
        described = describing(config.motion_threshold, config.motion_search)
        count_reuse(self.metrics, described, answers, voice)
        self._hearing = hearing_parts(config)
        self._denoising, self._mouths = Denoising(config.denoiser, compute_of(config)), mouths(config)
        self._telemetry = telemetry(config)
        shared = Shared(
            config, self._stocks, self._compute, voice, self._library, _safety_of(config), self.metrics,
            self._hearing, self._stocks.ready, _marks(config, self._avatars, self.voices()).marking,
            denoise=self._denoising.of, refining=self._denoising.aside, described=described, paints=self.paints,
            event_log=event_logs(config, self._avatars.pack), telemetry=self._telemetry, mouths=self._mouths,
        )  # fmt: skip
        self._ice = ice_options(config)
        options = PeerOptions(
            ice_servers=_rtc_servers(config.ice_servers),
            video_codecs=tuple(map(video_codec, config.video_codecs)),
            relays=partial(_relays, config) if config.server_relay else tuple,
            ice=self._ice,
            join_timeout_s=config.join_timeout_s,
        )
        self.sessions = SessionManager(shared, options)
        self._started = False

    def avatars(self) -> Sequence[AvatarInfo]:
        """The avatars that can be asked for."""
        return _infos(self._avatars)

    def poster(self, avatar: str) -> bytes | None:
        """The avatar with a friendly face, as JPEG; None for an unknown one. Blocks while it is drawn."""
        return self._avatars.poster(avatar)

    def voices(self) -> Sequence[VoiceInfo]:
        """The voices that can be asked for."""
        return [VoiceInfo(voice.name, voice.description, voice.languages) for voice in self._voice.voices()]

    def primitives(self) -> Mapping[str, Primitive]:
        """The motion library."""
        return PRIMITIVES

    @property
    def programmes(self) -> Programmes:
        """What a session can be for."""
        return self._library

    def readiness(self) -> Mapping[str, bool]:
        """Whether the parts a session needs are up."""
        return {"avatar": bool(self._stocks), "voice": self._started}

    def notices(self) -> Mapping[str, str]:
        """What is wrong with parts that sessions can do without."""
        return {**self._denoising.notices(), **self._mouths.notices()}

    async def start(self) -> None:
        """Warm what answers the first viewer: the voice's worker and dictionaries, the avatar's region drawing."""
        await self._voice.warm_up()
        for language, text in WARM_TEXT.items():
            async for _ in self._voice.speak(text, VoiceSpec(language=language)):
                pass
        for stock in self._stocks.values():
            await self._compute.run(60.0, _warm_avatar, stock.avatar)
        self._started = True

    async def aclose(self) -> None:
        """End the sessions, then everything they used."""
        await self.portraits.aclose()
        await self.sessions.aclose()
        await self._voice.aclose()
        await self._answerer.aclose()
        if self._hearing is not None:
            await self._hearing.transcriber.aclose()
            self._hearing.thread.shutdown()
        self._avatars.close()
        self._compute.close()
        self._shelves.close()
        self._denoising.close()
        self._mouths.close()
        for part in (self._telemetry, self._ice.tcp):
            if part is not None:
                part.close()


def build(config: Config, progress: Progress) -> Server:
    """Put a server together; bakes the avatar's pack if there is none yet (the long work, told to `progress`)."""
    motions(config).learn()
    name = config.avatar or DEFAULT
    return Server(config, {name: Stock(_open(config, name, progress))}, _answerer(config))


def motions(config: Config) -> Motions:
    """The recorded motion primitives."""
    return Motions(config.primitives_path)


def prepare(config: Config, progress: Progress) -> None:
    """Do the long work of `build` and nothing else, so that worker processes find it done."""
    _open(config, config.avatar or DEFAULT, progress)


def collection(config: Config) -> Collection:
    """The avatars: the hosts that come with Anima, and those and the portraits of the packs' directory."""
    return Collection(config.packs_path, base_keys(), BAKED)


def avatars(config: Config) -> list[AvatarInfo]:
    """The avatars that can be asked for: hosts first, of these the default one, then portraits."""
    return _infos(collection(config))


def _infos(found: Collection) -> list[AvatarInfo]:
    size = (PICTURE_PX, PICTURE_PX)
    hosts = found.hosts.specs
    drawn = [AvatarInfo(one.name, one.title, *size, "illustrated", one.description) for one in hosts.values()]
    baked = [
        AvatarInfo(name, str(about["title"]), *size, "portrait", f"Made from one picture. {about['licence']}")
        for name, about in found.portraits.manifests().items()
        if name not in hosts
    ]
    return [*drawn, *baked]


def bake_portrait(
    config: Config, photo: Path, name: str, consent: str, title: str, progress: Progress, licence: str = ""
) -> Path:
    """Make a portrait of one photo; returns where its pack lies. Raises `InvalidField` with the reason if it cannot."""
    return collection(config).bake_portrait(photo, name, consent, title, progress, licence)


def inspect(config: Config, name: str) -> dict[str, object]:
    """What an avatar's pack says of itself, every byte of a portrait checked. Raises `NotFound` or `PackError`."""
    return collection(config).inspect(name)


def preview(config: Config, name: str, out: Path, progress: Progress) -> list[Path]:
    """Film an avatar speaking and write its contact sheets; returns the files."""
    from models.avatar.portrait.sheet import preview_files

    avatar = _open(config, name, progress)
    return preview_files(avatar, EspeakVoice(), out, name, partial(progress, "filming"))


def bake(config: Config, names: Sequence[str], progress: Progress) -> list[Path]:
    """Make packs anew; all illustrated hosts if none is named. A name may be that of a file `*.yaml`, which describes
    a host and is kept beside the packs. Returns where they lie."""
    own = [name if not name.endswith(".yaml") else adopt(Path(name), config.packs_path) for name in names]
    found = collection(config)
    return [found.hosts.bake(name, _telling(found, name, progress)) for name in own or found.hosts.specs]


def base_keys() -> list[BaseKey]:
    """The poses that the baked primitives pass through, each once, in order of appearance."""
    keys = (base_key(controls) for primitive in BAKED for controls in clip_controls(primitive))
    return list(dict.fromkeys(keys))


def _open(config: Config, name: str, progress: Progress) -> Avatar:
    found = collection(config)
    return found.open(name, _telling(found, name, progress))


def _telling(found: Collection, name: str, progress: Progress) -> "_Telling":
    return _Telling(f"drawing {found.titles().get(name, name)}", progress)


class _Telling:
    """Gives a bake's progress its name."""

    def __init__(self, what: str, progress: Progress) -> None:
        self._what = what
        self._progress = progress

    def __call__(self, done: int, total: int) -> None:
        self._progress(self._what, done, total)


def _relays(config: Config) -> tuple[RTCIceServer, ...]:
    return _rtc_servers(turn_servers(config, "server", time.time()))


def _rtc_servers(servers: Sequence[IceServer]) -> tuple[RTCIceServer, ...]:
    return tuple(RTCIceServer(list(one.urls), one.username or None, one.credential or None) for one in servers)


def _warm_avatar(avatar: Avatar) -> None:
    """Draw one open mouth: the first call of each drawing routine is the slowest."""
    controls = next(clip_controls(PRIMITIVES["talk"])).with_(AU25=0.5, AU26=0.4, AU1=0.3)
    whole_picture(avatar, controls)


def _marks(config: Config, found: Collection, voices: Sequence[VoiceInfo]) -> Marks:
    """What marks pictures, and what their provenance records say."""
    speaks = ", ".join(one.name for one in voices)
    answers = config.llm_model or "retrieval over the scene's knowledge, no model"
    models = {"voice": speaks, "answers": answers}
    return Marks(config, ProvenanceLog(config.provenance_path), label, partial(_source, found), models)


def _source(found: Collection, name: str) -> Source:
    """Where an avatar's looks come from."""
    if (spec := found.hosts.specs.get(name)) is not None:
        return Source(spec.digest(), "drawn by Anima's code, trained on nothing")
    about = found.portraits.manifests().get(name)
    if about is None:
        return NO_SOURCE
    words = f"one photo; licence: {about['licence']}; consent: {about['consent']}"
    return Source(str(about["provenance"]["photo_sha256"]), words)


def _answerer(config: Config) -> Answerer:
    """The configured language model's endpoint, else the knowledge file."""
    if not config.llm_base_url:
        return KnowledgeAnswerer(load_knowledge(config.knowledge))
    return OpenAIAnswerer(
        ChatSpec(config.llm_base_url, config.llm_model, config.llm_api_key, first_token_timeout_s=config.llm_timeout_s)
    )


def _speaking(config: Config) -> SpeakingSpec | None:
    """The endpoint that speaks, if there is one."""
    if not config.tts_base_url:
        return None
    return SpeakingSpec(config.tts_base_url, config.tts_model, config.tts_voices, config.tts_api_key)


def _safety_of(config: Config) -> Callable[[str, str, str], Safety]:
    """What makes a session's filter; the packs are read here once, so that a bad one stops the start."""
    packs = {tag: load_packs(config.safety_packs, config.safety_dir, tag) for tag in ("en", "zh")}
    audit = AuditLog(config.audit_log or user_state_path("anima") / "audit.jsonl", with_text=config.audit_text)

    def make(session: str, scene: str, language: str) -> Safety:
        tag = "zh" if language.lower().startswith(("zh", "cmn")) else "en"
        return SafetyFilter(packs[tag], audit, session=session, scene=scene, language=tag)

    return make


def hearing_parts(config: Config) -> HearingParts | None:
    """What hears and recognises viewers' speech; None where it is switched off or nothing can recognise it."""
    if not config.hearing:
        return None
    transcriber = _transcriber(config)
    if transcriber is None:
        log.warning("no speech recogniser: asr_base_url is empty and no Whisper model is installed; nobody is heard")
        return None
    thread = ThreadPoolExecutor(1, "hearing")
    return HearingParts(transcriber, SileroDetector, thread, config.max_microphones)


def _transcriber(config: Config) -> Transcriber | None:
    """The configured endpoint, else the Whisper model named, else the one that comes in a wheel."""
    if config.asr_base_url:
        spec = HearingSpec(
            config.asr_base_url, config.asr_model, config.asr_api_key, timeout_s=config.asr_timeout_s
        )
        return EndpointTranscriber(spec, time.monotonic)
    directory = config.asr_model_dir or packaged_model()
    return WhisperTranscriber(directory) if directory is not None else None
