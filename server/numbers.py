"""Sessions as whole numbers, for front ends that read a session's id with parseInt."""

import secrets
from collections.abc import Iterable


class SessionNumbers:
    """A number for each session that was asked for one. It names a session and allows nothing."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}
        self._numbers: dict[str, int] = {}

    def of(self, session_id: str) -> int:
        """The session's number. Fourteen digits are exact in JavaScript and long enough for the gateway's names."""
        if session_id not in self._numbers:
            number = 10**13 + secrets.randbelow(9 * 10**13)
            while number in self._ids:
                number += 1
            self._ids[number], self._numbers[session_id] = session_id, number
        return self._numbers[session_id]

    def find(self, number: int | str) -> str | None:
        """The session with this number, or None; text of digits is a number, too."""
        if isinstance(number, str):
            number = int(number) if number.isascii() and number.isdigit() and len(number) < 17 else 0
        return self._ids.get(number)

    def keep(self, session_ids: Iterable[str]) -> None:
        """Forget the numbers of all sessions but these."""
        alive = set(session_ids)
        self._numbers = {key: number for key, number in self._numbers.items() if key in alive}
        self._ids = {number: key for key, number in self._numbers.items()}
