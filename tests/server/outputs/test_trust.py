"""RTMPS to nginx with its RTMP module behind stunnel: whose certificates are taken, and what is said of the others."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from server.outputs.rtmp import RtmpSink
from server.outputs.sink import SinkFailed
from server.outputs.targets import Rules, read_target
from server.outputs.trust import trusting
from tests.peers import needs
from tests.server.outputs.certificates import Authority, authority, own_certificate
from tests.server.outputs.media import FPS, read, samples
from tests.server.outputs.ports import free_port
from tests.server.outputs.stage import SIZE, Script, nothing, until
from tests.server.outputs.test_rtmp import KEY, needs_nginx, nginx

HOST = "localhost"
needs_stunnel = needs("stunnel4")


@pytest.fixture
def trusted(tmp_path: Path) -> Authority:
    return authority(tmp_path)


@contextmanager
def stunnel(folder: Path, behind: int, files: tuple[Path, Path]) -> Iterator[int]:
    """TLS in front of a port; the port to connect to."""
    port, log = free_port(), folder / "stunnel.log"
    certificate, key = files
    (folder / "stunnel.conf").write_text(
        f"foreground = yes\npid =\noutput = {log}\nsyslog = no\n"
        f"[rtmps]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{behind}\ncert = {certificate}\nkey = {key}\n"
    )
    process = subprocess.Popen(["stunnel4", str(folder / "stunnel.conf")], stderr=subprocess.DEVNULL)
    try:
        while "Configuration successful" not in (log.read_text() if log.exists() else ""):
            assert process.poll() is None, log.read_text()
        yield port
    finally:
        process.kill()
        process.wait()


def sink_to(port: int, ca: Path | None, host: str = HOST) -> RtmpSink:
    rules = Rules(private=True, ca=ca)
    return RtmpSink(read_target("rtmp", f"rtmps://{host}:{port}/live", KEY, rules), SIZE, FPS)


@needs_nginx
@needs_stunnel
async def test_every_picture_arrives_over_tls(tmp_path: Path, trusted: Authority) -> None:
    port, lives = free_port(), list[bool]()
    with nginx(tmp_path, port) as recordings, stunnel(tmp_path, port, trusted.certificate(tmp_path, HOST)) as secure:
        sink = sink_to(secure, trusted.path)
        await sink.run(Script(samples(4), pause_s=0.002), lambda: lives.append(True))
        await until(lambda: "deleteStream" in (tmp_path / "error.log").read_text(), "nginx closes the stream")
        (path,) = recordings.iterdir()
    found = read(path)
    assert lives == [True] and found.frames == 4 * FPS and found.monotone
    assert max(map(abs, found.offsets_ms)) <= 10.0
    sent = sink.figures()["sent_bytes"]
    assert isinstance(sent, int) and sent > path.stat().st_size // 2


@needs_stunnel
@pytest.mark.parametrize("case", ["of another authority", "of nobody", "for another host", "that has run out"])
async def test_a_wrong_certificate_is_refused_in_words(tmp_path: Path, trusted: Authority, case: str) -> None:
    match case:
        case "of another authority":
            (tmp_path / "other").mkdir()
            files = authority(tmp_path / "other", "Another").certificate(tmp_path, HOST)
            words = "unable to get local issuer"
        case "of nobody":
            files, words = own_certificate(tmp_path, HOST), "self-signed certificate"
        case "for another host":
            files, words = trusted.certificate(tmp_path, "other.example"), "not valid for 'localhost'"
        case _:
            files, words = trusted.certificate(tmp_path, HOST, days=-1), "certificate has expired"
    with stunnel(tmp_path, free_port(), files) as secure:
        with pytest.raises(SinkFailed, match=f"the server's certificate is refused: .*{words}") as caught:
            await sink_to(secure, trusted.path).run(Script(samples(1)), nothing)
    assert not caught.value.final, "it may be put right there"


@needs_stunnel
async def test_a_certificate_of_an_unknown_authority_needs_output_ca(tmp_path: Path, trusted: Authority) -> None:
    with stunnel(tmp_path, free_port(), trusted.certificate(tmp_path, HOST)) as secure:
        with pytest.raises(SinkFailed, match="certificate is refused"):
            await sink_to(secure, None).run(Script(samples(1)), nothing)


async def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(SinkFailed, match="output_ca") as caught:
            await trusting(tmp_path / name)
        assert caught.value.final


async def test_the_systems_authorities_stay_trusted(trusted: Authority) -> None:
    alone, both = await trusting(None), await trusting(trusted.path)
    assert both.cert_store_stats()["x509_ca"] == alone.cert_store_stats()["x509_ca"] + 1
    assert both.check_hostname
