"""`dueprocess monitor LOG`: watch somebody's public log from outside, and keep the proof when it breaks a promise.

Needs the base install only. The computer that watches needs no trust in the operator: it remembers what it saw.
"""

import datetime as dt
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.monitor_fetch import place_of
from dueprocess.cli.monitor_show import show
from dueprocess.cli.monitor_state import alone
from dueprocess.cli.monitor_watch import Watch
from dueprocess.cli.verify_files import read_policy
from dueprocess.errors import RefusedError


def monitor_command(
    log: str,
    *,
    policy: Annotated[
        Path, Parameter(help="policy.txt: the keys of the log and its independent timekeepers")
    ],
    state: Annotated[
        Path, Parameter(help="a folder of your own: what was seen, and the proof of each alarm")
    ],
    once: Annotated[
        bool, Parameter(negative="", help="Look once and end; 7 means alarm, 6 not reached.")
    ] = False,
    every: Annotated[int, Parameter(help="seconds between two looks")] = 300,
    site: Annotated[
        str | None, Parameter(help="address or folder of the operator's pages, to recount the reports")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="Print one JSON value for each look.")] = False,
) -> int:
    """Watch the public log at LOG (an https address or a folder): that it only grows, keeps its pace and its rules.

    It needs no account and no secret. The first look says what it starts to trust. Each alarm gets a folder under
    DIR/evidence that says in plain words what happened, and that anybody can check with dueprocess verify.
    """
    if every < 1:
        raise RefusedError(
            "bad-interval", "The time between two looks is a second or more.", do="Use --every 300."
        )
    text, trust = read_policy(policy)
    pages = None if site is None else place_of(site)
    watch = Watch(log, place_of(log), pages, trust, text, state)
    with alone(state):
        while True:
            round_ = watch.look(dt.datetime.now(dt.UTC))
            show(round_, as_json=json, brief=not once)
            if once:
                return round_.exit_code
            time.sleep(every)
