"""What the setting `denoiser` gives sessions, and what it tells where it gives nothing."""

from pathlib import Path

import pytest

from server.denoising.compose import Denoising


@pytest.mark.parametrize("wish", ["off", "auto"])
def test_what_is_well_is_no_notice(wish: str) -> None:
    denoising = Denoising(wish)
    try:
        assert not denoising.notices()
    finally:
        denoising.close()


def test_weights_that_are_missing_are_noticed_and_nothing_works_aside(tmp_path: Path) -> None:
    denoising = Denoising(str(tmp_path))
    assert "cannot be used" in denoising.notices()["denoiser"] and denoising.aside is None
    denoising.close()
