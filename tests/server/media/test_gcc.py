"""Send-side congestion control on simulated links: it finds the rate, leaves queues short and shrugs off some loss."""

import statistics
from collections import deque
from dataclasses import dataclass, field

import pytest

from server.media.gcc import InterArrival, Trendline, Usage
from server.media.send_estimate import SendEstimator
from server.media.twcc import Feedback
from tests.netem.link import Link, LinkSpec

FPS = 25
PACKET_BYTES = 1200
SOUND_BYTES = 160
FEEDBACK_S = 0.1


@dataclass
class Run:
    """What a simulated sender saw, per frame."""

    at_s: list[float] = field(default_factory=list)
    target_bps: list[float] = field(default_factory=list)
    queueing_s: list[float] = field(default_factory=list)

    def over(self, begin_s: float, end_s: float, what: list[float]) -> list[float]:
        return [value for at_s, value in zip(self.at_s, what, strict=True) if begin_s <= at_s < end_s]


class BusyReceiver(Link):
    """A link to a receiver that is kept from its processor now and then: what came meanwhile it sees all at once."""

    PERIOD_S = 0.7
    STALL_S = 0.15

    def pass_on(self, size_bytes: int, now_s: float) -> float | None:
        out_s = super().pass_on(size_bytes, now_s)
        if out_s is None:
            return None
        into_s = out_s % self.PERIOD_S
        return out_s if into_s >= self.STALL_S else out_s - into_s + self.STALL_S


def simulate(link: Link, *, seconds: float, start_bps: float, limit_bps: float = 5e6) -> Run:
    """A sender of sound and of 25 pictures a second that sends what its estimator allows, up to `limit_bps`, over a
    link and gets feedback every 100 ms after the same delay back."""
    estimator = SendEstimator(start_bps)
    run = Run()
    flight: deque[tuple[int, float | None]] = deque()
    back: deque[tuple[float, Feedback]] = deque()
    number = first = count = 0
    report_s = FEEDBACK_S
    for step in range(int(seconds * 1000)):
        now_s = step / 1000
        while back and back[0][0] <= now_s:
            estimator.feedback(back.popleft()[1], now_s)
        if step % 20 == 7:
            out_s = link.pass_on(SOUND_BYTES, now_s)
            estimator.sent(number & 0xFFFF, SOUND_BYTES, now_s)
            flight.append((number, out_s))
            number += 1
        if step % (1000 // FPS) == 0:
            frame_bytes = min(estimator.target_bps - SOUND_BYTES * 400, limit_bps) / 8 / FPS
            waits = []
            for _ in range(max(1, round(frame_bytes / PACKET_BYTES))):
                size = round(frame_bytes / max(1, round(frame_bytes / PACKET_BYTES)))
                out_s = link.pass_on(size, now_s)
                estimator.sent(number & 0xFFFF, size, now_s)
                flight.append((number, out_s))
                if out_s is not None:
                    waits.append(out_s - now_s - link.spec.delay_s)
                number += 1
            run.at_s.append(now_s)
            run.target_bps.append(estimator.target_bps)
            run.queueing_s.append(max(waits, default=link.spec.queue_s))
        if now_s >= report_s:
            report_s += FEEDBACK_S
            arrived = [(n, out_s) for n, out_s in flight if out_s is None or out_s <= now_s]
            if any(out_s is not None for _, out_s in arrived):
                last = max(n for n, out_s in arrived if out_s is not None)
                times = dict(flight)
                span = tuple(times.get(n) for n in range(first, last + 1))
                back.append((now_s + link.spec.delay_s, Feedback(first & 0xFFFF, span, count)))
                first, count = last + 1, count + 1
                flight = deque((n, out_s) for n, out_s in flight if n > last)
    return run


@pytest.mark.parametrize(("rate_kbps", "delay_s"), [(700, 0.02), (700, 0.1), (300, 0.02), (2000, 0.05)])
def test_a_narrow_link_is_used_but_not_filled(rate_kbps: int, delay_s: float) -> None:
    link = Link(LinkSpec(rate_bps=rate_kbps * 1000, delay_s=delay_s, queue_s=0.4))
    run = simulate(link, seconds=30, start_bps=1_000_000)
    settled = run.over(5, 30, run.target_bps)
    assert 0.6 * rate_kbps * 1000 < statistics.mean(settled) < 1.02 * rate_kbps * 1000
    assert statistics.median(run.over(5, 30, run.queueing_s)) < 0.08
    assert statistics.quantiles(run.over(3, 30, run.queueing_s), n=20)[-1] < 0.2


def test_overuse_is_answered_within_a_second() -> None:
    run = simulate(Link(LinkSpec(rate_bps=700_000, delay_s=0.02, queue_s=1.0)), seconds=3, start_bps=1_000_000)
    assert min(run.over(0, 1, run.target_bps)) < 700_000
    assert max(run.over(2.5, 3, run.queueing_s)) < 0.2


def test_loss_without_queueing_does_not_starve_the_picture() -> None:
    link = Link(LinkSpec(rate_bps=5_000_000, delay_s=0.1, loss=0.05))
    run = simulate(link, seconds=20, start_bps=600_000, limit_bps=1_500_000)
    assert min(run.target_bps) > 450_000


def test_heavy_loss_lowers_the_rate() -> None:
    link = Link(LinkSpec(rate_bps=5_000_000, delay_s=0.05, loss=0.25))
    run = simulate(link, seconds=20, start_bps=1_000_000)
    assert statistics.mean(run.over(15, 20, run.target_bps)) < 300_000


def test_an_idle_picture_does_not_talk_the_rate_down() -> None:
    link = Link(LinkSpec(rate_bps=5_000_000, delay_s=0.02))
    run = simulate(link, seconds=30, start_bps=800_000, limit_bps=100_000)
    assert run.target_bps[-1] >= 750_000


def test_a_free_path_is_found_out() -> None:
    link = Link(LinkSpec(rate_bps=5_000_000, delay_s=0.02))
    run = simulate(link, seconds=20, start_bps=500_000)
    assert run.target_bps[-1] > 1_500_000


def test_jitter_is_not_congestion() -> None:
    link = Link(LinkSpec(rate_bps=5_000_000, delay_s=0.1, jitter_s=0.01))
    run = simulate(link, seconds=20, start_bps=600_000, limit_bps=1_500_000)
    assert statistics.mean(run.over(10, 20, run.target_bps)) > 400_000


def test_a_busy_receiver_is_not_congestion() -> None:
    run = simulate(
        BusyReceiver(LinkSpec(rate_bps=5_000_000, delay_s=0.02)), seconds=30, start_bps=600_000, limit_bps=1_500_000
    )
    assert min(run.over(5, 30, run.target_bps)) > 400_000


def test_groups_are_bursts_of_five_milliseconds() -> None:
    groups = InterArrival()
    apart = [groups.add(sent_s, sent_s + 0.05) for sent_s in (0.0, 0.004, 0.040, 0.044, 0.080)]
    assert apart[:4] == [None, None, None, None]
    assert apart[4] == pytest.approx((0.040, 0.040))


@pytest.mark.parametrize(("growth_s", "usage"), [(0.0, Usage.NORMAL), (0.004, Usage.OVER), (-0.004, Usage.UNDER)])
def test_a_growing_delay_is_overuse(growth_s: float, usage: Usage) -> None:
    trend = Trendline()
    seen = [trend.add(0.04, 0.04 + growth_s, index * 0.04) for index in range(60)]
    assert usage in seen[-40:]
    assert (Usage.OVER in seen) == (usage is Usage.OVER)
