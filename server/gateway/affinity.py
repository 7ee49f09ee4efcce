"""Which worker a request belongs to. Pure: requests and answers come in as plain values."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final

NAMES: Final = ("session", "sessionid", "session_id", "pc_id", "id", "token")
"""Fields of bodies and queries that hold a name some worker gave out."""
NESTED: Final = ("requestData", "request_data", "output")
MIN_NAME_CHARS: Final = 12
"""Names are long random words; anything shorter is a name of the API itself."""


class Affinity:
    """Remembers who gave out which name (session, token, connection); the longest unused is forgotten first."""

    def __init__(self, max_names: int = 100_000) -> None:
        self._worker_of: OrderedDict[str, int] = OrderedDict()
        self._lost: OrderedDict[str, None] = OrderedDict()
        self._max_names = max_names

    def __len__(self) -> int:
        return len(self._worker_of)

    def learn(self, worker: int, location: str | None, body: Any) -> None:
        """Note the names in a worker's answer."""
        for name in (*_in_path(location or ""), *_in_fields(body)):
            self._worker_of[name] = worker
            self._worker_of.move_to_end(name)
        while len(self._worker_of) > self._max_names:
            self._worker_of.popitem(last=False)

    def forget(self, worker: int) -> None:
        """A worker is gone, and everything it gave out with it."""
        for name in [name for name, owner in self._worker_of.items() if owner == worker]:
            del self._worker_of[name]
            self._lost[name] = None
        while len(self._lost) > self._max_names:
            self._lost.popitem(last=False)

    def is_lost(self, path: str, query: Mapping[str, str], bearer: str | None, body: Any) -> bool:
        """Whether a request is about a session that went down with its worker. A connection's own name does not count:
        who offers with an old one may begin anew."""
        fields = {name: value for name, value in body.items() if name != "pc_id"} if isinstance(body, Mapping) else None
        names = (*_in_path(path), *_in_fields(query), *_in_fields(fields), bearer or "")
        return any(name in self._lost for name in names)

    def find(self, path: str, query: Mapping[str, str], bearer: str | None, body: Any) -> int | None:
        """The worker whose name a request carries: in its path, its query, its body, or as its token."""
        for name in (*_in_path(path), *_in_fields(query), *_in_fields(body), bearer or ""):
            worker = self._worker_of.get(name)
            if worker is not None:
                self._worker_of.move_to_end(name)
                return worker
        return None


def choose(sessions: Mapping[int, int], refused: frozenset[int] = frozenset()) -> int | None:
    """The worker with the fewest sessions among those that have not refused; None if all have."""
    free = {worker: count for worker, count in sessions.items() if worker not in refused}
    return min(free, key=lambda worker: (free[worker], worker)) if free else None


def _in_path(path: str) -> Iterator[str]:
    return (part for part in path.split("?")[0].split("/") if len(part) >= MIN_NAME_CHARS)


def _in_fields(fields: Any) -> Iterator[str]:
    if not isinstance(fields, Mapping):
        return
    for name in NAMES:
        value = fields.get(name)
        if isinstance(value, str | int) and len(str(value)) >= MIN_NAME_CHARS:
            yield str(value)
    for name in NESTED:
        yield from _in_fields(fields.get(name))
