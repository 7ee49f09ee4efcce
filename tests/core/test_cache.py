"""The byte-bounded cache."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.cache import ByteLru


def test_the_least_recently_used_makes_room() -> None:
    cache: ByteLru[str, int] = ByteLru(30)
    for name in "abc":
        cache.put(name, 1, 10)
    assert cache.get("a") == 1
    cache.put("d", 1, 10)
    assert cache.get("b") is None and cache.get("a") == 1
    assert (cache.counters.hits, cache.counters.misses, cache.counters.evictions) == (2, 1, 1)


def test_what_is_larger_than_the_budget_is_not_kept_and_evicts_nothing() -> None:
    cache: ByteLru[str, int] = ByteLru(30)
    cache.put("a", 1, 10)
    cache.put("b", 2, 31)
    assert cache.get("b") is None and cache.get("a") == 1


def test_replacing_a_value_counts_its_size_once() -> None:
    cache: ByteLru[str, int] = ByteLru(30)
    cache.put("a", 1, 20)
    cache.put("a", 2, 10)
    assert cache.size_bytes == 10 and cache.get("a") == 2 and len(cache) == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), max_size=60))
def test_the_budget_holds_whatever_is_put(puts: list[tuple[int, int]]) -> None:
    cache: ByteLru[int, int] = ByteLru(64)
    for key, size in puts:
        cache.put(key, key, size)
        assert cache.size_bytes <= 64
