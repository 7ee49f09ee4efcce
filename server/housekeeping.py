"""What happens beside the requests: load is measured, tokens live on while they are used, idle sessions end, memory
goes back when nobody is served, and recordings that a killed process left are finished."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from server.heap import Rest
from server.outputs.repair import repair
from server.routes.access import close_session
from server.state import STATE, State

logger = logging.getLogger(__name__)
PERIOD_S = 1.0
GOODBYE_GRACE_S = 10.0
"""A page that says goodbye may only be loading anew: so long its session waits for it."""


async def housekeeping(app: web.Application) -> AsyncIterator[None]:
    """Start the services, keep house while they run, and end both (a `cleanup_ctx`)."""
    state = app[STATE]
    await state.services.start()
    tasks = (
        asyncio.create_task(_keep(state), name="housekeeping"),
        # beside the start, which many recordings on a slow disk must not hold up
        asyncio.create_task(asyncio.to_thread(repair, state.config.recordings_path), name="repair"),
    )
    yield
    state.draining = True
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    try:
        async with asyncio.timeout(state.config.drain_timeout_s):
            await state.services.sessions.aclose()
    except TimeoutError:
        logger.warning("sessions did not end within %g s", state.config.drain_timeout_s)
    await state.services.aclose()


async def _keep(state: State) -> None:
    meter = BusyMeter(time.process_time, state.clock)
    rest = Rest()
    while True:
        await asyncio.sleep(PERIOD_S)
        try:
            await keep_once(state, meter())
            await rest.observe(len(state.services.sessions.all()))
        except Exception:
            logger.exception("housekeeping failed this time")


class BusyMeter:
    """How many cores this process kept busy since it was last asked."""

    def __init__(self, cpu: Callable[[], float], clock: Callable[[], float]) -> None:
        self._cpu, self._clock = cpu, clock
        self._cpu_s, self._at_s = cpu(), clock()

    def __call__(self) -> float:
        cpu_s, at_s = self._cpu(), self._clock()
        passed_s = at_s - self._at_s
        busy = (cpu_s - self._cpu_s) / passed_s if passed_s > 0 else 0.0
        self._cpu_s, self._at_s = cpu_s, at_s
        return busy


async def keep_once(state: State, busy_cores: float) -> None:
    """One round: note the load, let watched sessions live on, end those that nobody uses."""
    now_s = state.clock()
    sessions = state.services.sessions.all()
    state.admission.observe(busy_cores, len(sessions))
    state.tokens.keep(session.id for session in sessions)
    alive = {session.id for session in sessions}
    state.numbers.keep(alive)
    state.watched &= alive
    state.public.keep(alive)
    for session_id in state.public.overdue(now_s):
        logger.info("session %s ends: a visitor's time is over", session_id)
        await close_session(state, session_id, "a visitor's time is over")
        alive.discard(session_id)
    for gone in state.used_s.keys() - alive:
        del state.used_s[gone]
    for gone in state.parted_s.keys() - alive:
        del state.parted_s[gone]
    for session in sessions:
        if session.id not in alive:
            continue
        if session.viewers or session.outputs.running:
            state.watched.add(session.id)
            state.used_s[session.id] = now_s
            state.tokens.renew(session.id, now_s)
            if now_s - state.parted_s.get(session.id, now_s) > GOODBYE_GRACE_S:
                # others stay: losing their network later, they are waited for as long as anyone
                del state.parted_s[session.id]
        elif now_s - state.used_s.setdefault(session.id, now_s) > patience_s(state, session.id):
            logger.info("session %s ends: nobody uses it", session.id)
            await close_session(state, session.id, "idle")


def patience_s(state: State, session_id: str) -> float:
    """How long a session may go unused. One whose viewers have left is not waited for as long as one not joined yet,
    and least where they said goodbye."""
    config = state.config
    waits_s = config.rejoin_timeout_s if session_id in state.watched else config.session_idle_timeout_s
    return min(waits_s, GOODBYE_GRACE_S) if session_id in state.parted_s else waits_s
