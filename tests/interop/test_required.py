"""What is skipped for want of a peer fails where peers are required."""

import pytest

from tests.peers import missing_peer, needs, skip_unless

ABSENT = "no-such-program-anywhere"


def test_a_missing_program_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANIMA_REQUIRE_PEERS", raising=False)
    mark = needs("python3", ABSENT)
    assert mark.args == (True,) and ABSENT in mark.kwargs["reason"] and "python3" not in mark.kwargs["reason"]
    assert skip_unless(True, "").args == (False,)
    with pytest.raises(pytest.skip.Exception, match="npm"):
        missing_peer("npm cannot install")


def test_where_peers_are_required_nothing_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANIMA_REQUIRE_PEERS", "1")
    assert needs(ABSENT).args == (False,), "it runs, and fails for what it lacks"
    with pytest.raises(pytest.fail.Exception, match="npm"):
        missing_peer("npm cannot install")
