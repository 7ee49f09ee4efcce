"""The `anima` command in processes of its own: what it imports, prints and returns."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server import cli

KEY = "a-key-of-enough-length"
HEAVY = ("numpy", "cv2", "skia", "av", "aiortc", "aiohttp", "openai", "mediapipe", "pydantic", "jieba", "tqdm", "yaml")


def anima(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ANIMA_")}
    return subprocess.run(
        [sys.executable, "-m", "server.cli", *arguments],
        capture_output=True, text=True, env=clean | environ, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [["--help"], ["serve", "--help"], ["--version"], ["serve", "--print-config"], ["say", "--help"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\nfrom server.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        f"loaded = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_help_names_the_commands_and_every_flag() -> None:
    top = anima("--help")
    assert top.returncode == 0 and all(
        name in top.stdout for name in ("serve", "doctor", "avatar", "primitives", "say")
    )
    serve = anima("serve", "--help").stdout
    assert "--max-sessions" in serve and "--ice-servers" in serve
    assert "--api-keys" not in serve and "--llm-api-key " not in serve, "secrets have no flag"


def test_the_version() -> None:
    assert anima("--version").stdout.startswith("anima ")


def test_print_config_shows_value_and_source_and_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "anima.yaml"
    file.write_text("max_sessions: 3\n", "utf-8")
    done = anima("serve", "--print-config", "--json", "--config", str(file), "--port", "0", ANIMA_API_KEYS=KEY)
    shown = json.loads(done.stdout)
    assert shown["port"] == {"value": 0, "source": "flag --port"}
    assert shown["max_sessions"] == {"value": 3, "source": f"file {file}"}
    assert shown["api_keys"] == {"value": ["********"], "source": "environment ANIMA_API_KEYS"}
    assert KEY not in done.stdout + done.stderr
    assert "# flag --port" in anima("serve", "--print-config", "--port", "0").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "--port", "99999"], "port = 99999 (flag --port)"),
        (["serve", "--host", "0.0.0.0"], "api_keys is empty"),
        (["serve", "--config", "/nowhere/anima.yaml"], "cannot be read"),
        (["serve", "--avatar", "nobody", "--port", "0"], "nobody"),
    ],
)
def test_wrong_settings_end_with_a_message_and_no_traceback(arguments: list[str], said: str) -> None:
    done = anima(*arguments)
    assert done.returncode in (1, 2) and said in done.stderr and "Traceback" not in done.stderr


def test_wrong_arguments_are_refused_by_the_parser() -> None:
    for arguments in ([], ["fly"], ["say", "hi"], ["serve", "--prot", "1"]):
        assert anima(*arguments).returncode == 2


def test_listings(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["primitives", "list"]) == 0
    assert "wave" in capsys.readouterr().out
    assert cli.main(["primitives", "list", "--json"]) == 0
    assert {"name", "kind", "duration_s", "from", "description"} == set(json.loads(capsys.readouterr().out)[0])
    assert cli.main(["avatar", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"]


def test_say_to_nobody_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["say", "--url", "http://127.0.0.1:9", "--session", "x", "hello"]) == 1
    assert "does not answer" in capsys.readouterr().err
