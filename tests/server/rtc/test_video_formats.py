"""VP9 and AV1 in SDP: which of an offer are taken, under which numbers, and what the answer says of them."""

import re
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription

from realtime.core.errors import InvalidField
from server.media.codecs import VideoCodec
from server.rtc.peer import PeerOptions
from server.rtc.sdp_guard import PUBLISH, read_offer
from tests.server.rtc.rig import session

CHROMIUM = (Path(__file__).parent / "offers" / "chromium.sdp").read_text()
OTHERS: dict[VideoCodec, tuple[int, str]] = {"VP9": (98, "profile-id=0"), "AV1": (45, "level-idx=5;profile=0;tier=0")}


def only(codec: str) -> str:
    """Chromium's offer with all other codecs under names that nobody knows."""
    names = [name for name in ("VP8", "H264", "VP9", "AV1") if name != codec]
    return re.sub(rf"(a=rtpmap:\d+) ({'|'.join(names)})/", r"\1 X-\2/", CHROMIUM)


@pytest.mark.parametrize("codec", OTHERS)
async def test_an_offer_of_one_codec_is_answered_with_it_and_its_repeats(codec: VideoCodec) -> None:
    payload_type, parameters = OTHERS[codec]
    async with session() as rig:
        answer = (await rig.offer(only(codec))).sdp
        assert rig.peers[0].video_codec == codec
    video = answer[answer.index("m=video") :].split("m=")[1]
    assert re.findall(r"a=rtpmap:(.*)\r", video) == [f"{payload_type} {codec}/90000", f"{payload_type + 1} rtx/90000"]
    assert sorted(re.findall(r"a=fmtp:(.*)\r", video)) == sorted(
        [f"{payload_type} {parameters}", f"{payload_type + 1} apt={payload_type}"]
    )
    assert f"a=rtcp-fb:{payload_type} nack pli" in video and f"a=rtcp-fb:{payload_type} transport-cc" in video


@pytest.mark.parametrize("preferred", ["H264", "VP8", *OTHERS])
async def test_a_preferred_codec_is_taken_where_it_is_offered(preferred: VideoCodec) -> None:
    async with session(PeerOptions(video_codecs=(preferred,))) as rig:
        await rig.offer(CHROMIUM)
        assert rig.peers[0].video_codec == preferred


@pytest.mark.parametrize("codec", OTHERS)
def test_other_profiles_are_not_taken(codec: str) -> None:
    other = only(codec).replace("profile-id=0", "profile-id=2").replace("profile=0", "profile=1")
    with pytest.raises(InvalidField, match="no codec we know"):
        read_offer(other, "offer")


def test_without_a_profile_it_is_the_main_one() -> None:
    bare = re.sub(r"a=fmtp:(98|100|45) .*\r\n", "", only("VP9"))
    assert read_offer(bare, "offer").sections[1].codecs == ("VP9",)


@pytest.mark.parametrize("codec", OTHERS)
def test_aiortc_sees_a_codec_of_its_own_under_the_same_number(codec: VideoCodec) -> None:
    offer = read_offer(only(codec), "offer")
    shown = SessionDescription.parse(offer.sdp)
    payload_type, _ = OTHERS[codec]
    for media in shown.media[1:3]:
        assert [one.payloadType for one in media.rtp.codecs if one.name == "VP8"] == [payload_type]
    assert "VP8/" in CHROMIUM and read_offer(CHROMIUM, "offer").sdp.count(" VP8/") == CHROMIUM.count(" VP8/")


@pytest.mark.parametrize("codec", OTHERS)
def test_a_publisher_cannot_send_them(codec: str) -> None:
    publishing = only(codec).replace("a=sendrecv", "a=sendonly").replace("a=recvonly", "a=sendonly")
    with pytest.raises(InvalidField, match="no codec we know") as caught:
        read_offer(publishing, "offer", PUBLISH)
    assert caught.value.limit == "H264 or VP8"
    assert read_offer(CHROMIUM.replace("a=sendrecv", "a=sendonly"), "offer", PUBLISH).sections[1].role == "video"
