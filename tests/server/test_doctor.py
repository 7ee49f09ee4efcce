"""The doctor's findings and remedies."""

import json
import socket
from pathlib import Path

import pytest

from server import cli, doctor
from server.config import Config
from server.doctor import Check


def failing(message: str) -> Check:
    def load(name: str) -> object:
        raise ImportError(message)

    return doctor.library("skia", load)


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("libEGL.so.1: cannot open shared object file", "apt-get install libegl1"),
        ("libGL.so.1: cannot open shared object file", "apt-get install libgl1"),
        ("libGLESv2.so.2: cannot open shared object file", "apt-get install libgles2"),
        ("libgthread-2.0.so.0: cannot open shared object file", "libglib2.0-0"),
        ("libunheard.so.9: cannot open shared object file", "system package"),
        ("No module named 'skia'", "make setup"),
    ],
)
def test_a_library_that_does_not_load_has_a_remedy(message: str, remedy: str) -> None:
    check = failing(message)
    assert check.result == "failure" and remedy in check.remedy and check.detail == message


def test_versions_and_cores() -> None:
    assert doctor.python_version((3, 11)).result == "ok"
    assert doctor.python_version((3, 13)).result == "failure"
    assert doctor.cpu_count(1).result == "warning" and doctor.cpu_count(2).result == "ok"


def test_an_absent_encoder_is_a_failure() -> None:
    assert doctor.encoder("libx264").result == "ok"
    assert doctor.encoder("libnothing").result == "failure"


def test_no_card_is_no_fault() -> None:
    assert doctor.card_encoder(Config(nvenc="off")).detail == "off"
    found = doctor.card_encoder(Config())
    assert found.result == "ok" and (found.detail == "in use" or found.detail.startswith("not here, the processor"))


def test_a_directory_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert doctor.cache_dir(Config(packs_dir=blocked / "packs")).result == "failure"
    assert doctor.cache_dir(Config(packs_dir=tmp_path / "packs")).result in ("ok", "warning")


def test_a_taken_port_is_a_warning() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = doctor.port(Config(port=other.getsockname()[1]))
    assert taken.result == "warning" and "--port" in taken.remedy


def test_chromium_is_wanted_only() -> None:
    assert doctor.chromium(lambda name: None).result == "warning"
    assert doctor.chromium(lambda name: f"/usr/bin/{name}").detail == "/usr/bin/chromium"


def test_the_report_shows_remedies() -> None:
    text = doctor.report([Check("a", "ok", "fine"), Check("b", "failure", "broken", "mend it")])
    assert text == "ok    a: fine\nFAIL  b: broken\n      mend it"


@pytest.mark.slow
def test_the_command_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["doctor", "--json", "--packs-dir", str(tmp_path), "--port", "0"])
    found = {check["name"]: check["result"] for check in json.loads(capsys.readouterr().out)}
    assert {"python", "skia", "encoder libx264", "espeak-ng", "pack directory", "port", "chromium"} <= set(found)
    assert status == int("failure" in found.values())
