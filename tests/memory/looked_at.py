"""The server, and on SIGUSR1 what its memory holds: objects by type, and where what is held was made.

Usage: python -m tests.memory.looked_at FILE serve
"""

from __future__ import annotations

import gc
import json
import signal
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

from server.cli import main

MOST = 60


def look(file: Path) -> None:
    """Write down what is there; where things were made is known of what was made since the first look."""
    gc.collect()
    if not tracemalloc.is_tracing():
        tracemalloc.start()  # from the first look on: the start of the program is not held up
    kinds = Counter(
        f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects()
    )
    ours = tracemalloc.Filter(inclusive=False, filename_pattern=tracemalloc.__file__)
    made = tracemalloc.take_snapshot().filter_traces([ours])
    lines = {str(each.traceback): each.size for each in made.statistics("lineno")[:400]}
    file.with_suffix(".new").write_text(json.dumps({"types": kinds, "lines": lines}))
    file.with_suffix(".new").replace(file)


if __name__ == "__main__":
    where = Path(sys.argv.pop(1))
    signal.signal(signal.SIGUSR1, lambda _number, _frame: look(where))
    main()
