"""A program that takes papers in and closes epochs as fast as it can, until it is stopped.

python busy.py ROOT PAPER
"""

import datetime as dt
import sys
from pathlib import Path

from dueprocess.desk import demands
from dueprocess.desk.desk import open_desk
from dueprocess.worker.clock import read_clock


def main(root: Path, paper: Path) -> None:
    desk = open_desk(root)
    now = read_clock(desk.installation)
    log = desk.log()
    number = 0
    while True:
        number += 1
        paper.write_text(f"paper {number}")
        demands.receive(desk, paper, channel="mail", actor="ana", now=now)
        now += dt.timedelta(seconds=desk.installation.epoch_seconds)
        log.close_due(now)
        if number == 3:
            sys.stdout.write("begun\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
