"""AMF0 there and back, and what is no AMF0."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.outputs import amf

PLAIN = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=50)
NAMES = st.text(min_size=1, max_size=9)
VALUES = st.recursive(PLAIN, lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=8)


@given(st.lists(VALUES, max_size=5))
def test_round_trip(values: list[amf.Value]) -> None:
    assert amf.read(amf.write(*values)) == values


@given(st.binary(max_size=80))
def test_anything_is_read_or_refused(data: bytes) -> None:
    try:
        amf.read(data)
    except ValueError:
        return


def test_nesting_is_bounded() -> None:
    with pytest.raises(ValueError, match="deeply"):
        amf.read(b"\x03\x00\x01a" * 50)
