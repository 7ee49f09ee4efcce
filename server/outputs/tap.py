"""What a session plays, tick by tick, for those who encode it themselves."""

from collections.abc import Callable

from realtime.core.values import Pcm

Listener = Callable[[int, Pcm], None]


class SoundTap:
    """Stands between the sound timeline and its reader; listeners get every tick that is read."""

    def __init__(self, read: Callable[[int], Pcm]) -> None:
        self._read = read
        self._listeners: list[Listener] = []

    def read(self, tick: int) -> Pcm:
        """The timeline's `read`, shown to the listeners, who must not block."""
        pcm = self._read(tick)
        for listener in self._listeners:
            listener(tick, pcm)
        return pcm

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; what is returned removes it."""
        self._listeners = [*self._listeners, listener]

        def leave() -> None:
            self._listeners = [one for one in self._listeners if one is not listener]

        return leave
