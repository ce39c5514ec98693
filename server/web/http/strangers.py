"""Sockets that have not said hello, strangers in ADR 25: whoever reaches us may open one, so only so many are kept."""

from typing import Final, Protocol

MOST: Final = 512
#: Callers of one mobile operator share an address, and each waits for its tap.
MOST_OF_ONE: Final = 64


class Stranger(Protocol):
    """A socket without a hello."""

    def give_way(self) -> None:
        """Close at once."""


class Strangers:
    """Those that have not said hello, oldest first; the oldest gives way to a new one.

    A page of ours says hello as soon as its caller taps, and opens another socket when it lost one: the attacker who
    holds a place loses it. The rest of all connections stays for those who are known.
    """

    def __init__(self, connections: int) -> None:
        """Keep a quarter of all connections at most, and of one source a quarter of that."""
        self.most = max(1, min(MOST, connections // 4))
        self.most_of_one = max(1, min(MOST_OF_ONE, self.most // 4))
        self._sources: dict[Stranger, str] = {}
        self._of: dict[str, dict[Stranger, None]] = {}

    def __len__(self) -> int:
        """Count them."""
        return len(self._sources)

    def enter(self, stranger: Stranger, source: str) -> None:
        """Let one in, at the cost of the oldest of its source, or of all."""
        own = self._of.get(source, {})
        oldest = None
        if len(own) >= self.most_of_one:
            oldest = next(iter(own))
        elif len(self._sources) >= self.most:
            oldest = next(iter(self._sources))
        if oldest is not None:
            self.leave(oldest)
            oldest.give_way()
        self._sources[stranger] = source
        self._of.setdefault(source, {})[stranger] = None

    def leave(self, stranger: Stranger) -> None:
        """Forget one that said hello or has gone; twice does no harm."""
        source = self._sources.pop(stranger, None)
        if source is None:
            return
        own = self._of[source]
        del own[stranger]
        if not own:
            del self._of[source]
