"""What was cut into RTP payloads is put together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.media.payloads import h264_payloads
from server.outputs.samples import parameter_sets, units_of

KINDS = st.sampled_from([1, 5, 6, 7, 8])
UNITS = st.builds(lambda kind, size: bytes([0x60 | kind]) + bytes([0x55 + kind]) * size, KINDS, st.integers(1, 4000))


@given(st.lists(UNITS, min_size=1, max_size=6))
def test_units_survive_packetisation(units: list[bytes]) -> None:
    stream = b"".join(b"\x00\x00\x00\x01" + unit for unit in units)
    assert list(units_of(h264_payloads(stream))) == units


def test_other_payloads_are_refused() -> None:
    with pytest.raises(ValueError, match="type 29"):
        units_of([bytes([0x7D, 0x85, 0, 0])])
    with pytest.raises(ValueError, match="parameter sets"):
        parameter_sets([b"\x65abc"])
