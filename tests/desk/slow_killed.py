"""`killed.py` with stores of which a table takes hours, and with the same dice in every production.

python slow_killed.py ROOT INSTANT MODULE:FUNCTION N before|after produce CASE DSN
"""

import sys
from pathlib import Path
from types import SimpleNamespace

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from desk.killed import main
from dueprocess.desk import production
from production.slow import slow_stores

DICE = SimpleNamespace(token_hex=lambda size: "7f" * size, token_bytes=lambda size: b"s" * size)
"""What a production throws: the parcel's id, the prefix of control numbers, the seed of identifiers."""

if __name__ == "__main__":
    root, at, where, number, when, verb, *rest = sys.argv[1:]
    vars(production)["secrets"] = DICE
    with slow_stores():
        main(root, at, (where, int(number), when), verb, rest)
