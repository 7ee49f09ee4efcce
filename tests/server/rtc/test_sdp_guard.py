"""Reading offers: limits, roles, `.local` names, and hostile input that only ever becomes a `RequestError`."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.errors import InvalidField, Malformed, RequestError, TooLarge
from server.rtc.sdp_guard import CANDIDATES_MAX, SDP_MAX_BYTES, read_candidate, read_offer

CHROMIUM = (Path(__file__).parent / "offers" / "chromium.sdp").read_text()
CANDIDATE = "candidate:1 1 udp 2113937151 192.0.2.7 40000 typ host"


def _without(prefix: str) -> str:
    return "".join(line for line in CHROMIUM.splitlines(keepends=True) if not line.startswith(prefix))


def test_what_chromium_offers() -> None:
    offer = read_offer(CHROMIUM, "offer")
    assert [(section.mid, section.role) for section in offer.sections] == [
        ("0", "audio"),
        ("1", "video"),
        ("2", "idle"),
        ("3", "data"),
    ]
    video = offer.section("video")
    assert video is not None and video.codecs == ("VP8", "H264", "AV1", "VP9")
    assert {one.payloadType: one.parameters.get("apt") for one in video.formats if one.name.upper() != "H264"} == {
        96: None, 97: 96, 103: 102, 109: 108, 45: None, 46: 45, 98: None, 99: 98,
    }  # fmt: skip
    assert (5, "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay") in video.extensions
    assert ".local" not in offer.sdp


def test_line_endings_do_not_matter() -> None:
    assert read_offer(CHROMIUM.replace("\r\n", "\n"), "offer").sdp == read_offer(CHROMIUM, "offer").sdp


def test_a_blank_behind_feedback_is_no_parameter() -> None:
    def feedback(sdp: str) -> list[list[tuple[str, str | None]]]:
        video = read_offer(sdp, "offer").section("video")
        assert video is not None
        return [[(one.type, one.parameter) for one in codec.rtcpFeedback] for codec in video.formats]

    # as Pion writes them
    blanks = "".join(
        line.rstrip() + (" \r\n" if line.startswith("a=rtcp-fb:") else "\r\n") for line in CHROMIUM.splitlines()
    )
    assert feedback(blanks) == feedback(CHROMIUM)
    assert ("nack", None) in feedback(blanks)[0]


def test_missing_direction_is_sendrecv() -> None:
    assert [section.role for section in read_offer(_without("a=sendrecv"), "offer").sections][:2] == ["audio", "video"]


def test_end_of_candidates_is_taken_out() -> None:
    marked = CHROMIUM.replace("a=setup:actpass", "a=end-of-candidates\r\na=setup:actpass")
    assert "end-of-candidates" not in read_offer(marked, "offer").sdp


@pytest.mark.parametrize(
    ("sdp", "error"),
    [
        ("", Malformed),
        ("hello", Malformed),
        ("v=0\r\nm=video\r\n", Malformed),
        ("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", InvalidField),
        ("v=0\r\n" + "x" * SDP_MAX_BYTES, TooLarge),
        ("v=0\r\n" + "a=x\r\n" * 2000, TooLarge),
        (CHROMIUM.replace("a=sendrecv", "a=sendonly"), InvalidField),
        (CHROMIUM.replace("a=sendrecv", "a=inactive"), InvalidField),
        (CHROMIUM.replace(" opus/48000", " speex/48000").replace(" G722/", " X/").replace(" PCM", " Y"), InvalidField),
        (CHROMIUM.replace("VP", "XP").replace("H264", "H26X").replace("AV1", "AVX"), InvalidField),
        (_without("a=ice-ufrag"), InvalidField),
        (_without("a=ice-pwd"), InvalidField),
        (_without("a=fingerprint"), InvalidField),
        (_without("a=setup"), InvalidField),
        (_without("a=rtcp-mux"), InvalidField),
        (_without("a=mid"), InvalidField),
        (_without("a=group"), InvalidField),
        (_without("a=sctp-port"), InvalidField),
        (CHROMIUM.replace("a=mid:1", "a=mid:0"), InvalidField),
        (CHROMIUM.replace("a=mid:1", "a=mid:" + "9" * 17), InvalidField),
        (CHROMIUM.replace("m=application", "m=text"), InvalidField),
        (CHROMIUM.replace("a=mid:0", f"a={CANDIDATE}\r\n" * (CANDIDATES_MAX + 1) + "a=mid:0"), TooLarge),
        (CHROMIUM.replace("a=mid:0", "a=rtpmap:50 X/1\r\n" * 200 + "a=mid:0"), TooLarge),
        (CHROMIUM + CHROMIUM[CHROMIUM.index("m=video") :] * 3, TooLarge),
        (CHROMIUM.replace("a=fmtp:97 apt=96", "a=fmtp:55 apt=96"), Malformed),
        (CHROMIUM.replace("a=setup:actpass", "a=setup:sideways"), Malformed),
        (CHROMIUM.replace("a=ssrc:", "a=ssrc:x"), Malformed),
    ],
)
def test_unusable_offers_are_refused_with_the_field(sdp: str, error: type[RequestError]) -> None:
    with pytest.raises(error) as caught:
        read_offer(sdp, "offer")
    assert type(caught.value) is error
    assert caught.value.field == "sdp"
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("kind", ["answer", "pranswer", "rollback", "", "OFFER"])
def test_only_offers_are_answered(kind: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_offer(CHROMIUM, kind)
    assert caught.value.field == "type"


def test_candidates() -> None:
    parsed = read_candidate(CANDIDATE, "0", 0, "c")
    assert parsed is not None and (parsed.ip, parsed.port, parsed.sdpMid) == ("192.0.2.7", 40000, "0")
    assert read_candidate("", "0", 0, "c") is None
    assert read_candidate(CANDIDATE.replace("192.0.2.7", "ab-cd.LOCAL"), "0", 0, "c") is None
    assert read_candidate(CANDIDATE.replace("udp", "tcp") + " tcptype active", "0", 0, "c") is None
    assert read_candidate(CANDIDATE.replace("40000", "0"), "0", 0, "c") is None


@pytest.mark.parametrize("text", ["candidate:", "garbage", "candidate:1 1 udp x y z typ host", "candidate:1 1 udp"])
def test_broken_candidates_name_their_field(text: str) -> None:
    if text == "candidate:":
        assert read_candidate(text, "0", 0, "c") is None
        return
    with pytest.raises(Malformed) as caught:
        read_candidate(text, "0", 0, "candidates[3].candidate")
    assert caught.value.field == "candidates[3].candidate"


def test_long_candidate_is_refused() -> None:
    with pytest.raises(TooLarge):
        read_candidate("candidate:" + "1" * 600, "0", 0, "c")


LINES = CHROMIUM.splitlines(keepends=True)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """Chromium's offer with lines dropped, doubled, swapped, cut, or with characters and numbers changed."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 6)):
            case 0:
                lines[at] = ""
            case 1:
                lines.insert(at, draw(st.sampled_from(LINES)))
            case 2:
                lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))] + "\r\n"
            case 3:
                cut = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + draw(st.text(max_size=8)) + lines[at][cut:]
            case 4:
                lines[at] = lines[at].replace(draw(st.sampled_from("0123456789:/ =")), draw(st.sampled_from("x9-: \t")))
            case 5:
                lines[at] = draw(st.text(max_size=40)) + "\r\n"
            case _:
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
    return "".join(lines)


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_mutated_offers_raise_request_errors_only(sdp: str) -> None:
    try:
        read_offer(sdp, "offer")
    except RequestError as error:
        assert error.field == "sdp"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_as_candidate(text: str) -> None:
    try:
        read_candidate(text, "0", 0, "c")
    except RequestError as error:
        assert error.field == "c"
