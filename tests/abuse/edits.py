"""Random edits of what two people approved: scope, map, plan, roster, decision, history. The worker refuses each.

    tests/abuse/edits.py --rounds 100000

One round changes one place of one thing as an intruder with full rights over the disk could, and asks what the
production worker asks: events folded from their own text, rosters from the pinned founders, scope parsed, map parsed,
plan compiled again, and the whole gate. An edit that changes no meaning (a comment in the map, say) is no edit.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dueprocess.conf.settings")

from dueprocess.cases.case import fold
from dueprocess.cases.events import Event, check_body
from dueprocess.cases.gate import GateFacts, check_gate
from dueprocess.cases.rosters import fold_rosters
from dueprocess.desk import gatekeeping
from dueprocess.desk.decisions import open_decision
from dueprocess.desk.demands import stored_scope
from dueprocess.errors import BrokenError, DueprocessError
from dueprocess.history.append import load_events
from dueprocess.plan import Plan, compile_plan, parse_map
from dueprocess.wire import canonical, digest_of, sha256_hex
from office import Office

MANGLED = [
    "",
    "0",
    "x",
    "@finn:chat.example",
    "content.messages",
    "2020-01-01T00:00:00Z",
    "disclose",
    "age1x",
]


COLUMNS: dict[str, type] = {
    "case_id": str, "case_seq": int, "kind": str, "version": int, "body": dict, "actor": str, "recorded_at": str,
    "prev_sha256": str,
}  # fmt: skip
"""The columns of the table of events; a database keeps nothing of another type in them."""


@dataclass(frozen=True)
class Approved:
    """Everything that the worker reads about one approved target, as it lies on the disk."""

    case: list[dict[str, Any]]
    roster: list[dict[str, Any]]
    document: dict[str, Any]
    scope: dict[str, Any]
    map_text: str
    plan_json: dict[str, Any] | None = None
    """An edited plan in place of the compiled one, or None."""


class Worker:
    """What the production worker proves of one approved target, over and over, each time from given texts."""

    def __init__(self, office: Office) -> None:
        desk, case_id = office.desk, office.cases[0]
        self._origin, self._root = desk.pins.origin, desk.pins.founding_sha256
        proved = gatekeeping.prove(desk, case_id)
        self._proof, self._digests = proved.log, proved.events
        self._stream, self._case_id, self._now = desk.stream, case_id, office.now
        self._freshest = gatekeeping.freshest(desk.installation.epoch_seconds)
        case_events = load_events(case_id)
        case = fold(case_events)
        scope_sha256 = str(case.target("t1").scope_sha256)
        self._scope_sha256 = scope_sha256
        self.approved = Approved(
            case=[dict(event.as_json()) for event in case_events],
            roster=[dict(event.as_json()) for event in load_events(desk.stream)],
            document=open_decision(desk, case, "t1"),
            scope=desk.vault.get_json(case_id, f"scope:{scope_sha256}"),
            map_text=desk.installation.datamap.read_text(),
        )
        self._roster = fold_rosters(load_events(desk.stream), origin=self._origin, root=self._root)

    def look(self, found: Approved) -> list[str]:
        """The sentences that the gate proves; raises a ``DueprocessError`` where it does not open."""
        events = self._events(found.case, self._case_id)
        same = found.roster is self.approved.roster
        roster = (
            self._roster
            if same
            else fold_rosters(self._events(found.roster, self._stream), origin=self._origin, root=self._root)
        )
        return check_gate(
            GateFacts(
                case=fold(events),
                ref="t1",
                document=found.document,
                roster=roster,
                origin=self._origin,
                plan_sha256=self._plan_sha256(found),
                proof=self._proof,
                now=self._now,
                freshest=self._freshest,
                phase="produce",
            )
        )

    def _events(self, rows: list[dict[str, Any]], stream: str) -> list[Event]:
        """The events, if they are those that were proved from the log (as `look_again` compares them)."""
        events = [_event(row) for row in rows]
        if tuple(event.sha256 for event in events) != self._digests[stream]:
            raise BrokenError("history-moved", "The events are not those that were proved.")
        return events

    def _plan_sha256(self, found: Approved) -> str:
        if found.plan_json is not None:
            return digest_of(found.plan_json)
        return self._plan(found).plan_sha256

    def plan_json(self) -> dict[str, Any]:
        return dict(self._plan(self.approved).as_json())

    def _plan(self, found: Approved) -> Plan:
        scope, nonce = stored_scope(found.scope, self._scope_sha256)
        return compile_plan(scope.items[0], parse_map(found.map_text, "map"), nonce=nonce)


def _event(row: Any) -> Event:
    """A row as the program reads it (`history.append`): typed columns, a body with the fields of its kind."""
    fits = isinstance(row, dict) and set(row) == set(COLUMNS)
    if not fits or any(not isinstance(row[name], kind) for name, kind in COLUMNS.items()):
        raise BrokenError("bad-row", "No such row can lie in the table of events.")
    check_body(row["kind"], row["version"], row["body"])
    return Event(**row)


def edit_scope(worker: Worker, dice: random.Random) -> Approved:
    return replace(worker.approved, scope=edited(worker.approved.scope, dice))


def edit_decision(worker: Worker, dice: random.Random) -> Approved:
    return replace(worker.approved, document=edited(worker.approved.document, dice))


def edit_plan(worker: Worker, dice: random.Random) -> Approved:
    return replace(worker.approved, plan_json=edited(worker.plan_json(), dice))


def edit_roster(worker: Worker, dice: random.Random) -> Approved:
    return replace(worker.approved, roster=edited(worker.approved.roster, dice))


def edit_case(worker: Worker, dice: random.Random) -> Approved:
    return replace(worker.approved, case=edited(worker.approved.case, dice))


def edit_map(worker: Worker, dice: random.Random) -> Approved:
    """Another text of the map, of which nobody knows yet whether it means something else."""
    lines = worker.approved.map_text.splitlines()
    at = dice.randrange(len(lines))
    match dice.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, dice.choice(lines))
        case 2:
            other = dice.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            line = lines[at] or " "
            place = dice.randrange(len(line))
            lines[at] = line[:place] + chr(dice.randrange(32, 127)) + line[place + 1 :]
        case _:
            words = [
                "traffic",
                "session.times",
                "content.messages",
                "subscriber.identity",
                "sessions",
                "users",
            ]
            lines[at] = lines[at].replace(dice.choice(words), dice.choice(words))
    return replace(worker.approved, map_text="\n".join(lines))


EDITS: dict[str, Callable[[Worker, random.Random], Approved]] = {
    "scope": edit_scope,
    "map": edit_map,
    "plan": edit_plan,
    "roster": edit_roster,
    "decision": edit_decision,
    "history": edit_case,
}


def edited(value: Any, dice: random.Random) -> Any:
    """A copy with one place changed: a leaf mangled, a key removed, doubled under another name, or a list moved."""
    copy = deepcopy(value)
    places = list(_places(copy))
    while canonical(copy) == canonical(value):
        holder, key = dice.choice(places)
        _mangle(holder, key, dice)
        places = list(_places(copy)) or places
    return copy


def _places(value: Any) -> Any:
    if isinstance(value, dict):
        for key in value:
            yield value, key
            yield from _places(value[key])
    elif isinstance(value, list):
        for key in range(len(value)):
            yield value, key
            yield from _places(value[key])


def _mangle(holder: Any, key: Any, dice: random.Random) -> None:
    choice = dice.randrange(6)
    if choice == 0:
        del holder[key]
    elif choice == 1 and isinstance(holder, list):
        holder.insert(dice.randrange(len(holder) + 1), deepcopy(holder[key]))
    elif choice == 2 and isinstance(holder, dict):
        holder[f"{key}x"] = holder.pop(key)
    else:
        holder[key] = _other(holder[key], dice)


def _other(value: Any, dice: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + dice.choice((-1, 1, 1000))
    if isinstance(value, str) and value and dice.random() < 0.7:
        place = dice.randrange(len(value))
        return value[:place] + dice.choice("0123456789abcdefXZ@._-") + value[place + 1 :]
    return dice.choice([None, [], {}, *MANGLED])


def try_edits(worker: Worker, rounds: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Counts refusals by what was edited, and tells every edit at which the gate opened."""
    dice = random.Random(seed)
    refused: Counter[str] = Counter()
    opened: list[str] = []
    kinds = list(EDITS)
    known_map = parse_map(worker.approved.map_text, "map").sha256
    while sum(refused.values()) + len(opened) < rounds:
        kind = kinds[(sum(refused.values()) + len(opened)) % len(kinds)]
        found = EDITS[kind](worker, dice)
        if kind == "map" and _same_map(found.map_text, known_map):
            continue
        try:
            worker.look(found)
        except DueprocessError:
            refused[kind] += 1
        else:
            opened.append(
                f"{kind}: {sha256_hex(json.dumps(found.__reduce_ex__(2), default=str).encode())[:12]}"
            )
    return refused, opened


def _same_map(text: str, known: str) -> bool:
    """Whether an edited text still means the same map: nothing that is read changed (`connect` is no part of it)."""
    try:
        return parse_map(text, "map").sha256 == known
    except DueprocessError:
        return False


def main() -> int:
    """Runs the rounds and prints a line of JSON; 1 if the gate opened once."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    from office import open_office

    with tempfile.TemporaryDirectory() as folder:
        office = open_office(Path(folder), epoch_seconds=6 * 3600, window_days=1)
        office.cases = [office.approved_case()]
        office.wait(hours=30)
        worker = Worker(office)
        worker.look(worker.approved)
        refused, opened = try_edits(worker, given.rounds, given.seed)
    print(json.dumps({"rounds": given.rounds, "refused": dict(refused), "opened": opened}))  # noqa: T201
    return 1 if opened else 0


if __name__ == "__main__":
    sys.exit(main())
