"""`anima doctor`: whether this machine has what Anima needs, and what to do where it has not."""

import importlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from realtime.core.errors import ConfigError
from server.config import Config
from server.loading import flag

LIBRARIES: Final = ("numpy", "cv2", "skia", "av", "aiortc", "aiohttp", "pydantic", "yaml", "prometheus_client")
ENCODERS: Final = ("libx264", "libvpx", "libvpx-vp9", "libsvtav1", "libopus")
CHROMIUMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APT_PACKAGES: Final = {
    "libEGL": "libegl1", "libGL.": "libgl1", "libGLESv2": "libgles2", "libOpenGL": "libopengl0",
    "libglib": "libglib2.0-0", "libgthread": "libglib2.0-0", "libfontconfig": "libfontconfig1",
    "libfreetype": "libfreetype6", "libSM": "libsm6", "libXext": "libxext6", "libXrender": "libxrender1",
    "libxcb": "libxcb1", "libX11": "libx11-6",
}  # fmt: skip
"""Shared libraries that wheels expect from the system, and Debian's and Ubuntu's packages of them."""


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. A warning leaves the server usable."""

    name: str
    result: Literal["ok", "warning", "failure"]
    detail: str
    remedy: str = ""


def examine(config: Config) -> list[Check]:
    """All checks, cheap ones first."""
    return [
        python_version(sys.version_info[:2]),
        cpu_count(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1),
        *(library(name) for name in LIBRARIES),
        *(encoder(name) for name in ENCODERS),
        card_encoder(config),
        espeak(),
        cache_dir(config),
        denoiser(config),
        mouth_net(config),
        port(config),
        chromium(shutil.which),
    ]


def python_version(version: tuple[int, ...]) -> Check:
    """3.11 and 3.12 are supported."""
    shown = ".".join(map(str, version))
    if (3, 11) <= version < (3, 13):
        return Check("python", "ok", shown)
    return Check("python", "failure", shown, "use Python 3.11 or 3.12: make PYTHON=python3.11 setup")


def cpu_count(cores: int) -> Check:
    """Two cores hold the promises of the documentation."""
    if cores >= 2:
        return Check("processor", "ok", f"{cores} cores")
    return Check("processor", "warning", f"{cores} core", "expect a lower frame rate: two cores are recommended")


def library(name: str, load: Callable[[str], object] = importlib.import_module) -> Check:
    """Whether a Python library loads, with all it links against."""
    try:
        loaded = load(name)
    except (ImportError, OSError) as error:
        return Check(name, "failure", str(error), remedy_for(name, str(error)))
    return Check(name, "ok", str(getattr(loaded, "__version__", "present")))


def remedy_for(name: str, message: str) -> str:
    """What to install so that a library loads, judged by the loader's message."""
    if re.search(r"lib[\w.+-]+\.so", message):
        packages = sorted({package for part, package in APT_PACKAGES.items() if part in message})
        if packages:
            return f"on Debian or Ubuntu: apt-get install {' '.join(packages)}"
        return "install the system package that holds this shared library"
    return f"install it: make setup, or pip install -c constraints.txt -e . (missing: {name})"


def encoder(name: str) -> Check:
    """Whether the bundled FFmpeg can encode with this library."""
    try:
        import av.codec

        av.codec.Codec(name, "w")
    except (ImportError, OSError, ValueError) as error:
        return Check(f"encoder {name}", "failure", str(error) or "absent", "install av from its PyPI wheel")
    return Check(f"encoder {name}", "ok", "present")


def card_encoder(config: Config) -> Check:
    """Whether H.264 is encoded on a card; without one the processor does it."""
    from server.media.nvenc import nvenc_lack

    if config.nvenc == "off":
        return Check("encoder h264_nvenc", "ok", "off")
    lack = nvenc_lack()
    return Check("encoder h264_nvenc", "ok", f"not here, the processor encodes: {lack}" if lack else "in use")


def espeak() -> Check:
    """Whether espeak-ng's library loads; in a process of its own, as the voice does it."""
    script = "import ctypes, espeakng_loader as e; ctypes.CDLL(e.get_library_path()); print(e.get_data_path())"
    try:
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("espeak-ng", "failure", str(error), "install espeakng-loader from its PyPI wheel")
    if done.returncode or not os.path.isdir(done.stdout.strip()):
        said = (done.stderr.strip().splitlines() or ["its data is missing"])[-1]
        return Check("espeak-ng", "failure", said, remedy_for("espeakng-loader", said))
    return Check("espeak-ng", "ok", "library and data present")


def cache_dir(config: Config) -> Check:
    """Whether avatar packs can be written."""
    path = config.packs_path
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        remedy = f"make it writable, or choose another place with {flag('packs_dir')}"
        return Check("pack directory", "failure", f"{path}: {error.strerror or error}", remedy)
    free_gb = shutil.disk_usage(path).free / 1e9
    if free_gb < 1.0:
        return Check(
            "pack directory", "warning", f"{path}: {free_gb:.1f} GB free", "free some space: packs take ~0.3 GB"
        )
    return Check("pack directory", "ok", f"{path}: {free_gb:.0f} GB free")


def denoiser(config: Config) -> Check:
    """Whether the weights that repair mouth and eyes can be used; without them hosts are shown as drawn."""
    from models.diffusion.refiner_engine import FAILED, open_engine
    from server.denoising.compose import compute_of

    try:
        engine, about = open_engine(config.denoiser, compute_of(config))
    except ConfigError as error:
        return Check("denoiser", "failure", str(error), f"leave {flag('denoiser_precision')} and "
                     f"{flag('denoiser_device')} at `auto`, or see docs/models.md")  # fmt: skip
    if engine is not None:
        engine.close()
    if about.startswith(FAILED):
        remedy = f"name a directory of whole weights with {flag('denoiser')}, or give it `off`"
        return Check("denoiser", "warning", about, remedy)
    return Check("denoiser", "ok", about)


def mouth_net(config: Config) -> Check:
    """Whether the net that makes mouths from sound can be used, if one is named; a wrong one stops the server."""
    from server.mouths.compose import mouths

    if config.mouth_net is None:
        return Check("mouth net", "ok", "off")
    try:
        mouths(config).close()
    except ConfigError as error:
        return Check("mouth net", "failure", str(error), f"see docs/mouth_net.md, or leave {flag('mouth_net')} out")
    return Check("mouth net", "ok", str(config.mouth_net))


def port(config: Config) -> Check:
    """Whether the configured address can be listened on."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((config.host, config.port))
        except OSError as error:
            remedy = f"stop what listens there (perhaps Anima itself), or choose another with {flag('port')}"
            return Check("port", "warning", f"{config.host}:{config.port}: {error.strerror}", remedy)
    return Check("port", "ok", f"{config.host}:{config.port} is free")


def chromium(which: Callable[[str], str | None]) -> Check:
    """A Chromium for the browser tests; the server needs none."""
    for name in CHROMIUMS:
        path = which(name)
        if path:
            return Check("chromium", "ok", path)
    return Check("chromium", "warning", "absent", "needed by browser tests and benches only: apt-get install chromium")


def report(checks: Iterable[Check]) -> str:
    """The findings as lines, what is wrong with its remedy."""
    marks = {"ok": "ok  ", "warning": "warn", "failure": "FAIL"}
    lines = []
    for check in checks:
        lines.append(f"{marks[check.result]}  {check.name}: {check.detail}")
        if check.remedy:
            lines.append(f"      {check.remedy}")
    return "\n".join(lines)
