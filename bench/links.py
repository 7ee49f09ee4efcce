"""What a viewer in Chromium sees over bad links: pictures a second, latency and freezes. Needs root (namespaces)."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.fanout_server import stay_ahead
from bench.harness import ROOT, Goal, Result, command, percentiles
from bench.links_viewer import SEEN
from tests.netem.link import LinkSpec
from tests.netem.namespaces import NEAR, Wire, possible, wire

_START_BPS: Final = 1_000_000
_MOST_BPS: Final = 1_500_000
_SECONDS: Final = 20.0
_SETTLED_S: Final = 3.0
"""Figures of a settled link count from so long after the first picture on."""
_READINGS: Final = 5
_WRAP: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Case:
    """One link."""

    name: str
    to_viewer: LinkSpec
    back: LinkSpec | None = None
    tcp: bool = False
    """Whether the server takes viewers in over TCP too."""
    cut_s: tuple[float, float] | None = None
    """When nothing passes, counted from the first picture that was seen."""


CASES: Final = (
    Case("clean", LinkSpec(delay_s=0.005)),
    Case("narrow_700", LinkSpec(delay_s=0.02, rate_bps=700_000, queue_s=0.4), LinkSpec(delay_s=0.02)),
    Case("narrow_300", LinkSpec(delay_s=0.02, rate_bps=300_000, queue_s=0.4), LinkSpec(delay_s=0.02)),
    Case("lossy", LinkSpec(delay_s=0.1, loss=0.05)),
    Case("jittery", LinkSpec(delay_s=0.1, jitter_s=0.025)),
    Case("outage", LinkSpec(delay_s=0.02, outage_s=(14.0, 17.0))),
    Case("outage_10", LinkSpec(delay_s=0.02), cut_s=(4.0, 14.0)),
    Case("tcp_only", LinkSpec(delay_s=0.02, udp=False), tcp=True),
    Case("tcp_narrow", LinkSpec(delay_s=0.02, rate_bps=700_000, queue_s=0.4, udp=False), LinkSpec(udp=False), tcp=True),
)
GOALS: Final = (
    Goal("narrow_700_fps", least=24.0),
    Goal("narrow_700_latency_ms_p95", most=250.0),
    Goal("lossy_freeze_ms_max", most=500.0),
    Goal("lossy_av_drift_ms", most=45.0),
)


def run(case: Case, seconds: float = _SECONDS, peer: str | None = None) -> dict[str, Any]:
    """Watch over one link; what the viewer brought back. The viewer is Chromium, or the program `peer`, which is given
    the address that offers go to and the seconds, says `SEEN` and then what it brings as JSON."""
    with wire(case.to_viewer, case.back) as ends:
        server = subprocess.Popen(
            ends.at_near(
                sys.executable, "-m", "bench.fanout_server", "--host", NEAR,
                "--start-bps", str(_START_BPS), "--most-bps", str(_MOST_BPS), *(("--ice-tcp",) if case.tcp else ()),
            ),
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert server.stdout is not None
            url = f"http://{NEAR}:{int(server.stdout.readline())}/"
            chromium = (sys.executable, "-m", "bench.links_viewer", url)
            viewer = ends.at_far(*((peer, f"{url}offer") if peer else chromium), str(seconds))
            with subprocess.Popen(viewer, cwd=ROOT, stdout=subprocess.PIPE, text=True) as watching:
                brought: dict[str, Any] = json.loads(_watched(watching, ends, case.cut_s, seconds))
                return brought
        finally:
            server.kill()
            server.communicate()


def _watched(viewer: subprocess.Popen[str], ends: Wire, cut_s: tuple[float, float] | None, seconds: float) -> str:
    """What a viewer brings back, as JSON, its link being cut for a while if told. Raises `RuntimeError` if it fails."""
    assert viewer.stdout is not None
    try:
        if viewer.stdout.readline().strip() == SEEN and cut_s is not None:
            time.sleep(cut_s[0])
            ends.cut()
            time.sleep(cut_s[1] - cut_s[0])
            ends.mend()
        brought, _ = viewer.communicate(timeout=seconds + 90)
    finally:
        viewer.kill()
    if viewer.returncode:
        raise RuntimeError("the viewer saw nothing, or went wrong")
    return brought


def drift(playouts: list[list[float]]) -> Result:
    """How far the sound is behind the picture (`av_skew_ms`, negative when it is ahead), and how far that wanders
    (`av_drift_ms`), of `[picture, sound]` playout times in ms, one a second. Medians of five seconds each, since one
    reading is as coarse as a picture lasts; empty with fewer readings than that."""
    skews_ms = np.array([picture - sound for picture, sound in playouts])
    if len(skews_ms) < _READINGS:
        return {}
    steady_ms = np.median(np.lib.stride_tricks.sliding_window_view(skews_ms, _READINGS), axis=1)
    return {"av_skew_ms": round(float(np.median(skews_ms))), "av_drift_ms": round(float(np.ptp(steady_ms)))}


def judge(brought: dict[str, Any]) -> Result:
    """Rates, latencies and gaps of what was shown."""
    shown = np.asarray(brought["shown"], np.float64)  # (pictures, 3): wall ms, RTP time, width
    server = brought["server"]
    origin = next((origin for origin in server["rtp_origins"] if origin is not None), None)
    at_s = (shown[:, 0] - shown[0, 0]) / 1000
    settled = at_s >= _SETTLED_S
    gaps_ms = np.diff(shown[:, 0])
    result: Result = {
        "first_ms": round(float(shown[0, 0] - brought["begin_ms"])),
        "fps": round(float(settled.sum() / (at_s[-1] - _SETTLED_S)), 2),
        "freeze_ms_max": round(float(gaps_ms[settled[1:]].max())),
        "freezes_over_200_ms": int((gaps_ms[settled[1:]] > 200).sum()),
        "widths": {str(int(w)): int((shown[:, 2] == w).sum()) for w in np.unique(shown[:, 2])},
        "estimate_kbps": [round(e / 1000) for e in server["estimates_bps"] if e],
        "bitrate_kbps": round(server["bitrate_bps"] / 1000),
        "rung_switches": server["rung_switches"],
        "keyframes": server["keyframes"],
        "skips": server["viewer_skips"],
        "protocol": brought["inbound"]["path"]["protocol"],
    }
    video, sound = brought["inbound"]["video"], brought["inbound"]["audio"]
    result["nacks"], result["plis"] = video.get("nackCount"), video.get("pliCount")
    result["concealed_ratio"] = round(sound["concealedSamples"] / max(1, sound["totalSamplesReceived"]), 4)
    result["media_gap_ms_max"] = round(float(media_gaps_s(shown).max()) * 1000)
    result |= drift(brought["playouts"])
    if origin is not None:
        media_s = ((shown[:, 1] - origin) % _WRAP) / 90_000
        latency_ms = shown[:, 0] - 1000 * (server["began_wall_s"] + media_s)
        result |= percentiles([float(value) for value in latency_ms[settled]], "latency_ms")
    return result


def media_gaps_s(shown: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the media time of each picture is later than that of the one before, (pictures - 1,): what was not shown,
    whatever the viewer's own machine was busy with. `shown` is (pictures, 3): wall ms, RTP time, width."""
    return (np.diff(shown[:, 1]) % _WRAP) / 90_000


def measure(cases: int) -> Result:
    """Every link once; the keys are the link's name and what was measured."""
    if not possible():
        return {"skipped": "network namespaces need root and /dev/net/tun"}
    stay_ahead()  # what is started from here on, the emulated link too, stays ahead with us
    result: Result = {}
    for case in CASES[:cases]:
        figures = judge(run(case))
        print(case.name, figures, file=sys.stderr, flush=True)
        result |= {f"{case.name}_{key}": value for key, value in figures.items()}
    return result


def main() -> int:
    """The command line; `--n` is how many of the links are tried."""
    return command("links", measure, GOALS, n=len(CASES))


if __name__ == "__main__":
    sys.exit(main())
