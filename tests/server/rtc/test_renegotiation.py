"""A second offer: what makes it an ICE restart, and the answer to one."""

from server.rtc.renegotiation import restart_of, restarted_answer
from server.rtc.sdpfrag import Credentials

FIRST = (
    "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\n"
    "a=fingerprint:sha-256 AA:BB\r\na=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\na=end-of-candidates\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 97\r\na=ice-ufrag:abcd\r\na=ice-pwd:aaaaaaaaaaaaaaaaaaaaaa\r\n"
    "a=fingerprint:sha-256 AA:BB\r\n"
)
AGAIN = FIRST.replace("abcd", "efgh").replace("a" * 22, "b" * 22)


def test_fresh_credentials_alone_are_a_restart() -> None:
    assert restart_of(FIRST, AGAIN) == Credentials("efgh", "b" * 22)


def test_anything_else_is_none() -> None:
    assert restart_of(FIRST, FIRST) is None, "the same credentials"
    assert restart_of(FIRST, AGAIN.replace("AA:BB", "AA:CC")) is None, "another certificate"
    assert restart_of(FIRST, AGAIN.replace("m=video", "m=application")) is None, "other sections"
    assert restart_of(FIRST, "v=0") is None and restart_of("", AGAIN) is None


def test_the_answer_changes_its_paths_only() -> None:
    ours = Credentials("ours", "c" * 22)
    answer = restarted_answer(FIRST, ours, ("candidate:2 1 udp 1 10.0.0.2 6 typ host",))
    assert answer.count("a=ice-ufrag:ours") == answer.count("a=ice-pwd:" + "c" * 22) == 2
    assert "10.0.0.1" not in answer and answer.count("10.0.0.2 6 typ host") == 2
    assert "o=- 7 3 IN" in answer and answer.endswith("\r\n")
    kept = [line for line in FIRST.split("\r\n") if not line.startswith(("a=ice", "a=cand", "a=end", "o="))]
    assert [line for line in answer.split("\r\n") if line in kept] == kept
