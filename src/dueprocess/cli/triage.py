"""`dueprocess triage FILE`: first aid for a demand that has just arrived.

Reads one mail (.eml), PDF or text, and prints one screen: what it seems to be, what is missing, which clock
may run, what not to do, what the sender's mail shows and does not prove, a holding reply and a call-back
slip. Needs no account, key, store or network, and keeps nothing.
"""

import json as json_format
import shutil
import sys
from pathlib import Path

from dueprocess.intake.page import render_text
from dueprocess.intake.paper import open_paper
from dueprocess.intake.triage import triage


def triage_command(file: Path, *, json: bool = False) -> None:
    """Say what a paper seems to be, what is missing, and what to do first.

    Parameters
    ----------
    file
        The mail (.eml), PDF or text, at most 25 MiB.
    json
        Print the same as JSON.
    """
    page = triage(open_paper(file))
    if json:
        sys.stdout.write(json_format.dumps(page.as_json(), ensure_ascii=False, indent=2) + "\n")
    else:
        columns = shutil.get_terminal_size((96, 60)).columns
        sys.stdout.write(render_text(page, min(columns, 100)))
