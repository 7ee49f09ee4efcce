"""Which worker a request belongs to."""

from server.gateway.affinity import Affinity, choose
from server.gateway.proxy import _fields

SESSION, TOKEN, PEER = "session-aaaaaaaa", "token-aaaaaaaaaa", "peer-aaaaaaaaaaa"


def known() -> Affinity:
    affinity = Affinity()
    affinity.learn(1, f"/v1/sessions/{SESSION}", {"id": SESSION, "token": TOKEN, "offer_url": "/api/offer"})
    affinity.learn(1, None, {"pc_id": PEER, "sdp": "v=0"})
    return affinity


def test_names_are_found_wherever_a_request_carries_them() -> None:
    affinity = known()
    assert affinity.find(f"/v1/sessions/{SESSION}/say", {}, None, None) == 1
    assert affinity.find("/api/offer", {"session": SESSION}, None, None) == 1
    assert affinity.find("/api/offer", {}, None, {"pc_id": PEER}) == 1
    assert affinity.find("/human", {}, None, {"sessionid": SESSION}) == 1
    assert affinity.find("/api/offer", {}, None, {"requestData": {"session": SESSION}}) == 1
    assert affinity.find("/v1/primitives", {}, TOKEN, None) == 1


def test_strangers_and_odd_values_belong_to_nobody() -> None:
    affinity = known()
    bodies: list[object] = [None, [], "text", {"id": 7}, {"id": "short"}, {"requestData": "x"}]
    for body in bodies:
        assert affinity.find("/v1/sessions/unknown-session-x", {"session": "x"}, "other-token-xxxxxx", body) is None


def test_a_lost_worker_is_forgotten() -> None:
    affinity = known()
    affinity.forget(1)
    assert len(affinity) == 0


def test_the_memory_is_bounded_and_keeps_what_is_used() -> None:
    affinity = Affinity(max_names=3)
    affinity.learn(0, None, {"id": SESSION})
    for i in range(10):
        affinity.find("/", {"session": SESSION}, None, None)
        affinity.learn(1, None, {"id": f"session-number-{i:04}"})
    assert len(affinity) == 3
    assert affinity.find("/", {"session": SESSION}, None, None) == 0


def test_the_worker_with_the_fewest_sessions_is_chosen() -> None:
    assert choose({0: 3, 1: 1, 2: 1}) == 1
    assert choose({0: 3, 1: 1, 2: 1}, frozenset({1, 2})) == 0
    assert choose({0: 1}, frozenset({0})) is None
    assert choose({}) is None


def test_numbers_and_forms_name_their_session() -> None:
    affinity = Affinity()
    affinity.learn(1, None, {"sdp": "v=0", "sessionid": 12345678901234})
    assert affinity.find("/human", {}, None, {"sessionid": 12345678901234}) == 1
    assert affinity.find("/human", {}, None, {"sessionid": "12345678901234"}) == 1
    form = b'--x\r\nContent-Disposition: form-data; name="sessionid"\r\n\r\n12345678901234\r\n--x--\r\n'
    assert affinity.find("/humanaudio", {}, None, _fields("multipart/form-data", form)) == 1
    typed = form.replace(b'"sessionid"', b'"sessionid"\r\nContent-Type: text/plain')
    assert _fields("multipart/form-data", typed) == {"sessionid": "12345678901234"}
    assert _fields("multipart/form-data", b"--x--") is None


def test_names_of_a_lost_worker_are_known_as_lost() -> None:
    affinity = Affinity()
    affinity.learn(0, None, {"id": "session-of-zero", "token": "token-of-zero-1", "pc_id": "connection-zero"})
    affinity.learn(1, None, {"id": "session-of-one-"})
    affinity.forget(0)
    assert affinity.is_lost("/v1/sessions/session-of-zero", {}, None, None)
    assert affinity.is_lost("/api/offer", {"session": "session-of-zero"}, None, None)
    assert affinity.is_lost("/api/offer", {}, "token-of-zero-1", None)
    assert affinity.is_lost("/api/offer", {}, None, {"session": "session-of-zero"})
    assert not affinity.is_lost("/api/offer", {}, None, {"pc_id": "connection-zero"}), "it may begin anew"
    assert not affinity.is_lost("/v1/sessions/session-of-one-", {}, None, None)
    assert not affinity.is_lost("/v1/avatars", {}, None, ["session-of-zero"])
