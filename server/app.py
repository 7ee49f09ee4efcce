"""The HTTP application: middlewares, routes and the life of the services behind them. No module globals."""

import asyncio
import os
import time
from collections.abc import Callable

from aiohttp import web
from platformdirs import user_state_path

from realtime.core.errors import ConfigError
from server.admission import Admission
from server.auth import TokenBook
from server.config import Config
from server.housekeeping import housekeeping
from server.limits import KeyedLimiter, Rate
from server.middleware import MIDDLEWARES
from server.prompt_book import PromptBook
from server.public import PublicPlaces
from server.routes import (
    backgrounds,
    catalogue,
    connectivity,
    dashscope,
    director,
    livetalking,
    obs,
    offer,
    operations,
    outputs,
    portraits,
    prompts,
    rtc_resources,
    sessions,
    styles,
    viewers,
)
from server.routes.page import page_files
from server.routes.specification import description_routes
from server.routes.table import register
from server.state import STATE, State
from server.surfaces import Services

SURFACES = (
    sessions, offer, rtc_resources, livetalking, dashscope, catalogue, backgrounds, portraits, operations, director,
    prompts, obs, outputs, connectivity, styles, viewers,
)  # fmt: skip
OPERATIONS = tuple(operation for surface in SURFACES for operation in surface.OPERATIONS)
REQUEST_BURST_S = 4.0


def create_app(services: Services, config: Config, clock: Callable[[], float] = time.monotonic) -> web.Application:
    """The application on these services. It starts and closes them. Raises `ConfigError` for defaults that name
    nothing that exists."""
    check_defaults(services, config)
    app = web.Application(middlewares=[*MIDDLEWARES, page_files], client_max_size=config.body_limit_bytes)
    app[STATE] = build_state(services, config, clock)
    app[connectivity.EXAMINER] = connectivity.Examiner()
    register(app.router, OPERATIONS)
    if config.page:
        app.router.add_routes(description_routes(OPERATIONS))
    app.cleanup_ctx.append(housekeeping)
    app.on_shutdown.append(_drain)
    return app


async def _drain(app: web.Application) -> None:
    """Take no new session while the last requests are answered."""
    app[STATE].draining = True


def build_state(services: Services, config: Config, clock: Callable[[], float]) -> State:
    """A fresh state; the gauges that need it are added to the services' metrics."""
    state = State(
        config=config,
        services=services,
        clock=clock,
        tokens=TokenBook(config.token_ttl_s),
        admission=Admission(config.max_sessions, config.cpu_share, os.cpu_count() or 1),
        requests=KeyedLimiter(_requests(config.requests_per_s)),
        new_sessions=KeyedLimiter(_sessions(config.sessions_per_min)),
        key_requests=KeyedLimiter(_requests(config.key_requests_per_s)),
        key_sessions=KeyedLimiter(_sessions(config.key_sessions_per_min)),
        prompts=PromptBook(config.prompts_dir or user_state_path("anima") / "prompts"),
        public=PublicPlaces(min(config.public_sessions, config.public_part), config.public_session_s),
    )
    running = services.sessions
    services.metrics.gauge("sessions", "Sessions running", lambda: float(len(running.all())))
    services.metrics.gauge("viewers", "Viewers connected", lambda: float(sum(one.viewers for one in running.all())))
    share = "CPU share one session is predicted to take, 1 being a whole core"
    services.metrics.gauge("session_cpu_share", share, lambda: state.admission.share_per_session)
    services.metrics.gauge("tasks", "Asyncio tasks on the event loop", task_count)
    return state


def _requests(per_s: float) -> Rate:
    return Rate(per_s, max(1.0, per_s * REQUEST_BURST_S))


def _sessions(per_min: float) -> Rate:
    return Rate(per_min / 60.0, max(1.0, per_min))


def task_count() -> float:
    """How many tasks the running event loop has; 0 outside one."""
    try:
        return float(len(asyncio.all_tasks()))
    except RuntimeError:
        return 0.0


def check_defaults(services: Services, config: Config) -> None:
    """Raise `ConfigError` when the configured avatar or voice does not exist."""
    voices = [info.name for info in services.voices()]
    for name, existing in (("avatar", [info.name for info in services.avatars()]), ("voice", ["default", *voices])):
        value = getattr(config, name)
        if value and value not in existing:
            allowed = ", ".join(existing)
            raise ConfigError(f"{name} = {value!r} ({config.source(name)}) does not exist: allowed is {allowed}")
