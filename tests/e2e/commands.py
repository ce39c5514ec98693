"""Runs many `visio15` commands in one process: starting Python ten times costs more than what they do.

Standard input: a JSON list of [arguments, standard input]. Ends with status 1 at the first that fails.
"""

from __future__ import annotations

import json
import sys

from click.testing import CliRunner

from server.cli.main import main


def run(commands: list[tuple[list[str], str]]) -> int:
    for arguments, given in commands:
        result = CliRunner().invoke(main, arguments, input=given)
        if result.exit_code:
            sys.stderr.write(
                f"visio15 {' '.join(arguments)}: {result.output}\n{result.exception!r}"
            )
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(run(json.load(sys.stdin)))
