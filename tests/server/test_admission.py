"""Admission decisions under virtual time."""

from server.admission import FIRST_GUESS_SHARE, SETTLE_S, Accepted, Admission, Refused


def measured(busy_cores: float, sessions: int, cpu_share: float = 0.85, cores: int = 2) -> Admission:
    admission = Admission(max_sessions=100, cpu_share=cpu_share, cores=cores)
    for _ in range(60):
        admission.observe(busy_cores, sessions)
    return admission


def test_the_configured_number_is_the_limit() -> None:
    admission = Admission(max_sessions=2, cpu_share=0.85, cores=64)
    assert isinstance(admission.decide(1, 0.0), Accepted)
    refused = admission.decide(2, 0.0)
    assert isinstance(refused, Refused) and refused.retry_after_s > 0 and "2 sessions" in refused.reason


def test_measured_load_refuses_what_would_not_fit() -> None:
    admission = measured(busy_cores=1.6, sessions=8)
    refused = admission.decide(8, 0.0)
    assert isinstance(refused, Refused) and "processor" in refused.reason


def test_measured_load_admits_what_fits() -> None:
    admission = measured(busy_cores=0.8, sessions=8)
    accepted = admission.decide(8, 0.0)
    assert isinstance(accepted, Accepted) and 0.89 < accepted.load < 0.91


def test_a_rush_is_counted_before_it_can_be_measured() -> None:
    admission = Admission(max_sessions=100, cpu_share=0.85, cores=2)
    running = 0
    while isinstance(admission.decide(running, 0.0), Accepted):
        running += 1
    assert running == int(1.7 / FIRST_GUESS_SHARE)
    for _ in range(60):
        admission.observe(0.05 * running, running)
    assert isinstance(admission.decide(running, SETTLE_S + 1.0), Accepted), "they turned out to cost less"


def test_lasting_pressure_refuses_although_the_process_itself_uses_little() -> None:
    admission = measured(busy_cores=0.2, sessions=2)
    refused = admission.decide(2, 0.0, pressed_s=3.5)
    assert isinstance(refused, Refused) and refused.why == "pressure" and refused.retry_after_s > 0
    assert isinstance(admission.decide(2, 0.0, pressed_s=2.5), Accepted), "a burst is no reason"
    assert isinstance(admission.decide(0, 0.0, pressed_s=60.0), Accepted), "there is nobody to protect"


def test_low_priorities_are_refused_first() -> None:
    admission = measured(busy_cores=1.3, sessions=8)
    refused = admission.decide(8, 0.0, "low")
    assert isinstance(refused, Refused) and refused.why == "processor"
    assert isinstance(admission.decide(8, 0.0, "normal"), Accepted)
    assert isinstance(measured(busy_cores=0.8, sessions=8).decide(8, 0.0, "low"), Accepted)
    assert isinstance(admission.decide(0, 100.0, "low"), Accepted), "an idle server takes anyone"


def test_a_first_session_is_always_taken() -> None:
    admission = measured(busy_cores=1.99, sessions=1)
    assert isinstance(admission.decide(0, 0.0), Accepted)


def test_cost_follows_the_measurement_and_idle_time_does_not_lower_it() -> None:
    admission = measured(busy_cores=0.6, sessions=3)
    assert abs(admission.share_per_session - 0.2) < 1e-3
    for _ in range(60):
        admission.observe(0.0, 0)
    assert abs(admission.share_per_session - 0.2) < 1e-3
