"""A program that backs up, restores or recovers and is killed on the way: `kill -9` to itself at a chosen call.

python drill_killed.py INSTANT MODULE:FUNCTION N before|after backup|restore|recover ARGUMENT …
"""

import sys
from pathlib import Path

from desk.killed import arm
from dueprocess.desk import backups, recovery, restoring
from dueprocess.desk.desk import open_desk
from dueprocess.desk.filekeys import open_key
from dueprocess.publication.log import read_log_file
from dueprocess.wire import parse_instant


def main(at: str, place: tuple[str, int, str], verb: str, rest: list[str]) -> None:
    now = parse_instant(at)
    paths = [Path(each) for each in rest]
    if verb == "restore":
        arm(*place)
        database = rest[4] or None
        restoring.restore(restoring.Backup(paths[0], paths[1], paths[2], database=database), paths[3], now)
        return
    desk = open_desk(paths[0])
    recovery._BATCH = 2  # noqa: SLF001  so that a few leaves are several transactions
    arm(*place)
    if verb == "backup":
        backups.back_up(desk, paths[1], now)
    elif verb == "keys":
        backups.back_up_keys(desk, paths[1], now)
    else:
        signers = [open_key(path) for path in paths[2:]]
        recovery.recover(desk, lambda path: read_log_file(paths[1], path), signers, now)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0], (given[1], int(given[2]), given[3]), given[4], given[5:])
