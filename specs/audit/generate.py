"""Writes vectors.json: draws of a sample on fixed input. Run it again and nothing may change.

python specs/audit/generate.py [FILE]
"""

import json
import sys
from hashlib import sha256
from pathlib import Path

from dueprocess.audit.sample import draw, sample_seed
from dueprocess.wire import Json

ORIGIN = "operator.example/dueprocess/1"
DRAWS: dict[str, tuple[int, list[int], int]] = {
    "one of one": (210_300, [7], 1),
    "none of none": (210_300, [], 3),
    "all of three, asked for five": (210_300, [4, 9, 12], 5),
    "three of twenty": (210_301, list(range(1, 61, 3)), 3),
    "twenty of three hundred": (9_007_199_254_740_991, list(range(5, 3005, 10)), 20),
}
"""Name → size of the head, ledger numbers of the demands, how many are drawn."""


def vectors() -> dict[str, Json]:
    draws: list[Json] = []
    for name, (size, numbers, count) in DRAWS.items():
        root = sha256(f"root of {size}".encode()).digest()
        seed = sample_seed(ORIGIN, size, root)
        draws.append(
            {
                "name": name,
                "origin": ORIGIN,
                "size": size,
                "root": root.hex(),
                "seed": seed.hex(),
                "numbers": list[Json](numbers),
                "count": count,
                "drawn": list[Json](draw(seed, numbers, count)),
            }
        )
    return {"draws": draws}


if __name__ == "__main__":
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("vectors.json")
    path.write_text(json.dumps(vectors(), indent=1) + "\n")
