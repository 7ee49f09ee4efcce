"""Free memory goes back when the last session has ended, not before, and once."""

from server.heap import Rest, hand_back


async def test_only_the_end_of_the_last_session_counts() -> None:
    done: list[int] = []
    rest = Rest(lambda: done.append(1))
    for sessions, times in ((0, 0), (2, 0), (1, 0), (0, 1), (0, 1), (1, 1), (1, 1), (0, 2)):
        await rest.observe(sessions)
        assert len(done) == times, f"{sessions} sessions"


def test_handing_back_is_harmless_anywhere() -> None:
    hand_back()
    hand_back()
