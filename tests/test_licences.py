"""docs/licences.md speaks of every pinned package, and of what is bundled."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "licences.md").read_text("utf-8")


def test_every_pinned_package_has_its_licence() -> None:
    pinned = [
        line.split("==")[0] for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if "==" in line
    ]
    assert len(pinned) > 50
    missing = [name for name in pinned if f"\n| {name} | " not in PAGE]
    assert not missing, f"docs/licences.md lacks {', '.join(missing)}"


def test_no_package_is_without_a_licence() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 3]
    assert all(row.split("|")[2].strip() for row in rows)


def test_the_licence_is_apache() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text


def test_only_the_worker_loads_espeak() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for package in ("realtime", "models", "server", "client")
        for path in (ROOT / package).rglob("*.py")
        if "import espeakng_loader" in path.read_text("utf-8")
    ]
    assert users == ["models/speech/espeak_worker.py"]
