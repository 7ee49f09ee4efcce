"""Commands that hand on what follows them, and what they say where there is nothing to hand it to."""

from pathlib import Path

import pytest

from realtime.core.errors import ConfigError
from server import cli
from server.tools_cli import run_bench


@pytest.mark.parametrize(
    ("command", "module"),
    [
        (["export"], "models.diffusion.export"),
        (["train", "motion"], "models.language.motion.train"),
        (["train", "emotion"], "models.language.emotion_train"),
    ],
)
def test_all_that_follows_is_handed_on(monkeypatch: pytest.MonkeyPatch, command: list[str], module: str) -> None:
    got: list[list[str]] = []

    def main(rest: list[str]) -> int:
        got.append(rest)
        return 3

    monkeypatch.setattr(f"{module}.main", main)
    assert cli.main([*command, "--help", "run", "--config", "a.yaml"]) == 3
    assert got == [["--help", "run", "--config", "a.yaml"]]


def test_a_bench_runs_with_its_options_in_the_folder_of_the_caller(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "__init__.py").touch()
    (tmp_path / "bench" / "__main__.py").write_text("raise SystemExit(5)\n", "utf-8")
    text = 'import sys\n\nif __name__ == "__main__":\n    sys.exit(len(sys.argv[1:]))\n'
    (tmp_path / "bench" / "tiny.py").write_text(text, "utf-8")
    assert run_bench(["tiny", "--n", "3"], tmp_path) == 2
    assert run_bench(["--full"], tmp_path) == 5
    with pytest.raises(ConfigError, match="'nothing' is none of tiny"):
        run_bench(["nothing"], tmp_path)


def test_without_a_checkout_it_says_where_benches_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="checkout"):
        run_bench(["marks"], tmp_path)


def test_help_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert "export" in shown and "bench" in shown
