"""An answer by hand that is killed on the way: `kill -9` to itself at a chosen call.

python -m desk.collect_killed ROOT INSTANT CASE FILE MODULE:OWNER.FUNCTION N before|after
"""

import sys
from pathlib import Path

from desk.hold_killed import arm
from dueprocess.desk import collecting
from dueprocess.desk.collecting import Of, Said
from dueprocess.desk.desk import open_desk
from dueprocess.wire import parse_instant

if __name__ == "__main__":
    root, at, case_id, file, place, count, order = sys.argv[1:]
    desk = open_desk(Path(root))
    arm(place, int(count), order)
    said, now = Said(files=[Path(file)]), parse_instant(at)
    collecting.collect(desk, Of(case_id, "t1", "paper.tickets"), said, actor="ana", now=lambda: now)
