"""What workers are started with: together they may take what one server may, not each of them as much."""

import pytest

from server.admission import Accepted, Admission
from server.cli import parser
from server.config import CPU_SHARE_LEAST, SESSIONS_PER_MIN_LEAST, Config
from server.gateway.serving import own_arguments, sessions_of, worker_command
from server.loading import load


def started(config: Config, index: int) -> Config:
    """The settings of one worker, read from its command line as it does."""
    words = [*worker_command(config, ["serve", "--max-sessions", "1000"])[3:], *own_arguments(config, index)]
    given = {name[4:]: value for name, value in vars(parser().parse_args(words)).items() if name.startswith("set_")}
    return load({name: value for name, value in given.items() if value is not None}, environ={})


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_workers_together_may_take_what_one_server_may(workers: int) -> None:
    config = Config(workers=workers, max_sessions=11, cpu_share=0.8, sessions_per_min=60.0, public_sessions=3)
    each = [started(config, index) for index in range(workers)]
    assert sum(one.max_sessions for one in each) == 11
    assert sum(one.public_part for one in each) == 3
    assert max(one.max_sessions for one in each) - min(one.max_sessions for one in each) <= 1
    assert sum(one.cpu_share for one in each) == pytest.approx(0.8)
    assert sum(one.sessions_per_min for one in each) == pytest.approx(60.0)
    assert sum(one.key_sessions_per_min for one in each) == pytest.approx(config.key_sessions_per_min)


def test_every_worker_may_run_a_session() -> None:
    assert [sessions_of(Config(workers=4, max_sessions=2), index) for index in range(4)] == [1, 1, 1, 1]


def test_parts_stay_within_what_the_settings_allow() -> None:
    least = started(Config(workers=64, cpu_share=0.05, sessions_per_min=0.2), 63)
    assert (least.cpu_share, least.sessions_per_min) == (CPU_SHARE_LEAST, SESSIONS_PER_MIN_LEAST)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_machine_is_not_promised_once_per_worker(workers: int) -> None:
    cores, whole = 8, Config(workers=workers, max_sessions=1000)
    admitted = 0
    for index in range(workers):
        own = started(whole, index)
        admission, running = Admission(own.max_sessions, own.cpu_share, cores), 0
        while isinstance(admission.decide(running, 0.0), Accepted):
            running += 1
        admitted += running
    alone = int(whole.cpu_share * cores / admission.share_per_session)
    assert alone - workers < admitted <= alone
