"""Foreign peers that publish a camera and microphone to a session over WHIP."""

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from urllib.parse import urlsplit

import av
import numpy as np
import pytest

from bench.server_process import ServerProcess
from tests.interop.conftest import in_browser, new_session, session_state
from tests.peers import needs

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HAS_MUXER = "whip" in av.formats_available


@needs("chromium", "npm")
@pytest.mark.parametrize("no_trickle", [False, True], ids=["trickle", "whole"])
async def test_eyevinns_client(server: ServerProcess, packages: Any, no_trickle: bool) -> None:
    session = await new_session(server)
    seen = await in_browser(
        packages, "eyevinn_whip.js", url=session["whip_url"], token=session["token"], noTrickleIce=no_trickle,
        stateUrl=f"{server.url}/v1/sessions/{session['id']}",
    )  # fmt: skip
    ingest = seen["ingest"]
    assert ingest["connected"] and ingest["pictures"] >= 10 and ingest["sound_s"] > 0.5 and ingest["width"] >= 320
    assert ingest["malformed"] == 0 and urlsplit(seen["resource"]).path.startswith("/whip/")
    assert (await session_state(server, session["id"]))["ingest"]["connected"] is False, "its DELETE ended it"


def publish(url: str, token: str, enough: Callable[[], bool], folder: Any) -> None:
    """FFmpeg's own WHIP muxer sends a moving picture and a tone until it is enough."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    _p256_certificate(certificate, key)
    options = {"authorization": token, "cert_file": str(certificate), "key_file": str(key)}
    with av.open(url, "w", format="whip", options=options) as out:
        video = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt, video.bit_rate = 320, 240, "yuv420p", 400_000
        video.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "bf": "0"}
        video.codec_context.gop_size = 25
        audio = out.add_stream("libopus", rate=48_000)
        audio.layout = "stereo"
        for index in range(500):
            picture = np.full((240, 320, 3), index * 5 % 256, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(video.encode(frame))
            for part in (0, 1):
                at = np.arange(960) + (2 * index + part) * 960
                wave = np.repeat((8000 * np.sin(at / 17)).astype(np.int16), 2).reshape(1, -1)
                sound = av.AudioFrame.from_ndarray(wave, format="s16", layout="stereo")
                sound.sample_rate, sound.pts, sound.time_base = 48_000, int(at[0]), Fraction(1, 48_000)
                out.mux(audio.encode(sound))
            if enough():
                return


def _p256_certificate(certificate: Any, key: Any) -> None:
    """DTLS of this muxer takes an ECDSA certificate on P-256."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "whip")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1)).sign(private, hashes.SHA256())
    )  # fmt: skip
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, form, plain))


@pytest.mark.skipif(not HAS_MUXER, reason="this FFmpeg has no whip muxer")
async def test_ffmpegs_muxer(server: ServerProcess, tmp_path: Any) -> None:
    session = await new_session(server)
    came = False
    work = asyncio.create_task(
        asyncio.to_thread(publish, session["whip_url"], session["token"], lambda: came, tmp_path)
    )
    ingest: dict[str, Any] = {}
    for _ in range(100):
        await asyncio.sleep(0.2)
        ingest = (await session_state(server, session["id"]))["ingest"]
        came = ingest["pictures"] >= 10 and ingest["sound_s"] > 0.5
        if came or work.done():
            break
    came = True
    await asyncio.wait_for(work, 20)
    assert ingest["pictures"] >= 10 and ingest["sound_s"] > 0.5 and (ingest["width"], ingest["height"]) == (320, 240)
