"""The server, and on SIGUSR1 how many objects of each type it holds.

Usage: python -m tests.memory.looked_at FILE serve
"""

from __future__ import annotations

import gc
import json
import signal
import sys
from collections import Counter
from pathlib import Path

from server.cli.main import main


def look(file: Path) -> None:
    """Write down what is there; what was there at the start is frozen and not counted."""
    gc.collect()
    kinds = Counter(
        f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects()
    )
    file.with_suffix(".new").write_text(json.dumps(kinds))
    file.with_suffix(".new").replace(file)


if __name__ == "__main__":
    where = Path(sys.argv.pop(1))
    signal.signal(signal.SIGUSR1, lambda _number, _frame: look(where))
    main()
