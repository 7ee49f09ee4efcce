"""One round of housekeeping at a time, on a clock that is set."""

from server.config import Config
from server.housekeeping import BusyMeter, keep_once, patience_s
from tests.server.conftest import AUTH, KEY, Bench, Start


async def rounds(bench: Bench, seconds: float, busy_cores: float = 0.1) -> None:
    for _ in range(int(seconds)):
        bench.now_s += 1.0
        await keep_once(bench.state, busy_cores)


async def test_a_session_nobody_joins_ends(start: Start) -> None:
    bench = await start(session_idle_timeout_s=30.0)
    session = await bench.session()
    await rounds(bench, 25)
    assert (await bench.call("GET", f"/v1/sessions/{session.id}"))[0] == 200, "a request puts it off"
    await rounds(bench, 30)
    assert session.id in bench.services.sessions.running
    await rounds(bench, 2)
    assert bench.services.sessions.closed == [(session.id, "idle")]
    assert not bench.state.used_s and len(bench.state.tokens) == 0


async def test_a_watched_session_lives_and_its_token_with_it(start: Start) -> None:
    bench = await start(session_idle_timeout_s=30.0, rejoin_timeout_s=10.0, token_ttl_s=20.0, api_keys=(KEY,))
    _, made = await bench.call("POST", "/v1/sessions", json={}, headers=AUTH)
    session = bench.services.sessions.running[made["id"]]
    session.viewers = 1
    await rounds(bench, 200)
    own = {"Authorization": f"Bearer {made['token']}"}
    assert (await bench.call("GET", f"/v1/sessions/{session.id}", headers=own))[0] == 200
    session.viewers = 0
    await rounds(bench, 10)
    assert session.id in bench.services.sessions.running
    await rounds(bench, 2)
    assert bench.services.sessions.closed == [(session.id, "idle")]
    assert not bench.state.watched


async def test_a_goodbye_frees_the_place_soon(start: Start) -> None:
    bench = await start(rejoin_timeout_s=60.0)
    session = await bench.session()
    session.viewers = 1
    await rounds(bench, 5)
    assert await bench.call("POST", f"/v1/sessions/{session.id}/bye") == (204, None)
    await rounds(bench, 2)  # the connection goes after the goodbye
    session.viewers = 0
    await rounds(bench, 10)
    assert session.id in bench.services.sessions.running
    await rounds(bench, 1)
    assert bench.services.sessions.closed == [(session.id, "idle")] and not bench.state.parted_s


async def test_who_comes_back_takes_the_goodbye_back(start: Start) -> None:
    bench = await start(rejoin_timeout_s=60.0)
    session = await bench.session()
    session.viewers = 1
    await rounds(bench, 5)
    await bench.call("POST", f"/v1/sessions/{session.id}/bye")
    session.viewers = 0
    await rounds(bench, 9)
    await bench.call("GET", f"/v1/sessions/{session.id}")
    await rounds(bench, 60)
    assert session.id in bench.services.sessions.running


async def test_one_viewers_goodbye_is_not_that_of_the_others(start: Start) -> None:
    bench = await start(rejoin_timeout_s=60.0)
    session = await bench.session()
    session.viewers = 2
    await bench.call("POST", f"/v1/sessions/{session.id}/bye")
    session.viewers = 1
    await rounds(bench, 20)
    session.viewers = 0
    await rounds(bench, 60)
    assert session.id in bench.services.sessions.running
    await rounds(bench, 1)
    assert bench.services.sessions.closed == [(session.id, "idle")]


async def test_sessions_that_end_by_themselves_are_forgotten(bench: Bench) -> None:
    session = await bench.session()
    session.viewers = 1
    await rounds(bench, 1)
    await bench.services.sessions.close(session.id, "by itself")
    await rounds(bench, 1)
    assert not bench.state.used_s and not bench.state.watched and len(bench.state.tokens) == 0


async def test_load_reaches_admission(bench: Bench) -> None:
    await bench.session()
    await rounds(bench, 60, busy_cores=0.4)
    assert abs(bench.state.admission.share_per_session - 0.4) < 1e-3


async def test_patience_depends_on_whether_somebody_was_there(bench: Bench) -> None:
    config = Config()
    assert patience_s(bench.state, "s") == config.session_idle_timeout_s
    bench.state.watched.add("s")
    assert patience_s(bench.state, "s") == config.rejoin_timeout_s


def test_the_busy_meter_divides_work_by_time() -> None:
    cpu_s, wall_s = iter([1.0, 2.0, 2.5]), iter([10.0, 12.0, 12.0])
    meter = BusyMeter(lambda: next(cpu_s), lambda: next(wall_s))
    assert meter() == 0.5
    assert meter() == 0.0, "no time has passed"
