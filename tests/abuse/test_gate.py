"""Abuse of the gate: what an administrator, a colleague or a thief of keys can try, and the code that refuses it.

Each attack begins at a case of which production is due; no parcel may come of it. Sources: security.md 2.4 and
2.6 (abuse 9, 10, 13, 14, 17, 20, 21), formats.md "Gate".
"""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest
import sabotage
from dueprocess.cases.decide import Signing
from dueprocess.cases.events import Draft
from dueprocess.demand import expand
from dueprocess.desk import challenges, decisions, demands, rosters, setup
from dueprocess.desk.desk import open_desk
from dueprocess.desk.filekeys import FileKey, make_key
from dueprocess.desk.gatekeeping import last_look, prove
from dueprocess.errors import BrokenError, DueprocessError, RefusedError
from dueprocess.history.append import append, load_case
from dueprocess.history.connection import append_lock
from dueprocess.publication.signer import LogSigner
from dueprocess.roster import Signature
from dueprocess.steps import decide as decide_steps
from dueprocess.steps import produce as produce_steps
from dueprocess.tlog.checkpoint import Checkpoint, parse_checkpoint
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.tlog.note import parse_note
from dueprocess.wire import Json, b64, canonical
from office import EVA, FINN, Office
from sabotage import rows

pytestmark = pytest.mark.stage("ready")
