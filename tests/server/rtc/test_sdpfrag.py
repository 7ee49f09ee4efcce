"""Trickle-ICE fragments: what is read, what is refused, and that nothing else happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.errors import RequestError
from server.rtc.sdpfrag import Credentials, Fragment, Trickled, parse_fragment, write_fragment

CANDIDATE = "candidate:1 1 UDP 2130706431 192.0.2.1 50000 typ host"
PASSWORD = "p" * 22


def test_a_browsers_fragment() -> None:
    rows = ["a=ice-ufrag:EsAw", f"a=ice-pwd:{PASSWORD}", "a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111"]
    rows += ["a=mid:0", f"a={CANDIDATE}", "a=end-of-candidates", "m=video 9 RTP/AVP 0", f"a={CANDIDATE}", ""]
    text = "\r\n".join(rows)
    expected = (Trickled(CANDIDATE, "0", 0), Trickled(CANDIDATE, None, 1))
    assert parse_fragment(text) == Fragment(Credentials("EsAw", PASSWORD), expected, True)


def test_a_bare_candidate_belongs_to_the_first_section() -> None:
    assert parse_fragment(f"a={CANDIDATE}\n").candidates == (Trickled(CANDIDATE, None, 0),)
    assert parse_fragment("") == Fragment(None, (), False)


def test_credentials_may_be_repeated_but_not_differ() -> None:
    same = f"a=ice-ufrag:abcd\r\na=ice-pwd:{PASSWORD}\r\n"
    assert parse_fragment(same + "m=audio 9 X 0\r\n" + same).credentials == Credentials("abcd", PASSWORD)
    assert "ppp" not in repr(Credentials("abcd", PASSWORD))


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "a=ice-ufrag:abcd\r\n",
        f"a=ice-pwd:{PASSWORD}\r\n",
        "a=ice-ufrag:ab\r\n",
        "a=ice-pwd:short\r\n",
        f"a=ice-ufrag:abcd\r\na=ice-ufrag:efgh\r\na=ice-pwd:{PASSWORD}\r\n",
        "a=mid:" + "x" * 17,
        "a=x\x00y",
        "m=audio 9 X 0\r\n" * 9,
        f"a={CANDIDATE}\r\n" * 65,
        "a=x:" + "y" * 40_000,
    ],
)
def test_bad_fragments(text: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_fragment(text)
    assert caught.value.field


def test_what_is_written_can_be_read() -> None:
    credentials = Credentials("abcd", PASSWORD)
    for kind in ("video", "application"):
        text = write_fragment(credentials, (CANDIDATE, CANDIDATE), "v0", kind)
        assert parse_fragment(text) == Fragment(credentials, (Trickled(CANDIDATE, "v0", 0),) * 2, True)


LINES = st.sampled_from(
    ["a=ice-ufrag:", "a=ice-pwd:", "a=mid:", "m=", "a=candidate:", "a=end-of-candidates", "a=", "", "v=0", "\x00", "ü"]
)
ENDS = st.sampled_from(["\n", "\r\n", ""])
ROWS = st.tuples(LINES, st.text(max_size=40), ENDS).map("".join)


@given(st.lists(ROWS, max_size=30).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        fragment = parse_fragment(text)
    except RequestError as error:
        assert error.field
        return
    assert all(one.candidate.startswith("candidate:") for one in fragment.candidates)
