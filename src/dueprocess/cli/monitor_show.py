"""What one look gave, in words for a person or as JSON for a program."""

import json as json_format
import sys
from textwrap import wrap

from dueprocess.cli.monitor_watch import Round
from dueprocess.cli.monitor_words import meaning_of
from dueprocess.cli.printing import counted
from dueprocess.tlog import OpenedCheckpoint
from dueprocess.wire import Json, b64, instant


def show(round_: Round, *, as_json: bool, brief: bool) -> None:
    """One look as text or JSON. ``brief`` leaves out what was said at the last look already."""
    if as_json:
        print(json_format.dumps(_json(round_), ensure_ascii=False), flush=True)
        return
    lines = [*_alarm_lines(round_, brief=brief), *_head_lines(round_)]
    notices = [each for each in round_.told if each.finding.severity == "notice"]
    lines += [f"  Note: {each.finding.told}" for each in notices if each.new or not brief]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _alarm_lines(round_: Round, *, brief: bool) -> list[str]:
    lines: list[str] = []
    for each in round_.alarms:
        if brief and not each.new:
            lines.append(f"ALARM, still: {meaning_of(each.finding.kind).title}. Evidence: {each.folder}")
            continue
        meaning = meaning_of(each.finding.kind)
        lines += [
            f"ALARM: {meaning.title}",
            *_told(each.finding.told),
            *_told(f"Why it matters: {meaning.matters}"),
            *_told(f"Could it be innocent? {meaning.innocent}"),
            f"  What to do: keep the folder {each.folder} and read README.txt in it.",
            "",
        ]
    return lines


def _told(text: str) -> list[str]:
    return wrap(
        text,
        100,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _head_lines(round_: Round) -> list[str]:
    stamp = f"{round_.at:%Y-%m-%d %H:%M:%S} UTC"
    if round_.unreachable:
        since = "" if round_.since is None else f" since {round_.since:%Y-%m-%d %H:%M} UTC"
        late = "" if round_.alarms else " This is no alarm yet: it becomes one when entries are late."
        return [f"{stamp}  {round_.log} could not be reached{since}. {round_.unreachable}{late}"]
    if round_.opened is None:
        return [f"{stamp}  Nothing here can be believed; what was seen before stays remembered."]
    head = round_.opened.checkpoint
    state = counted(len(round_.alarms), "alarm") if round_.alarms else "good"
    if round_.first and round_.remembered:
        return _first_lines(round_, round_.opened, state)
    size = counted(head.size, "entry", "entries")
    return [f"{stamp}  {head.origin}: {state}. {size}, {_confirmed(round_.opened)}."]


def _first_lines(round_: Round, opened: OpenedCheckpoint, state: str) -> list[str]:
    head = opened.checkpoint
    size = counted(head.size, "entry", "entries")
    return [
        f"First look at {head.origin} on {round_.at:%Y-%m-%d} at {round_.at:%H:%M:%S} UTC: {state}.",
        "",
        f"  From now on this computer remembers that the log had {size}, with the fingerprint",
        f"      {b64(head.root)}",
        f"  {_confirmed(opened)}.",
        "  If an entry is ever changed or taken away, a later look will notice and keep the proof.",
        "",
        "  Every entry was read. What this look cannot know: whether the whole log was exchanged before today.",
        "  If you know somebody who watches it too, compare the number and the fingerprint.",
        "",
    ]


def _confirmed(opened: OpenedCheckpoint) -> str:
    names = ", ".join(name for name, _ in opened.witnesses)
    if opened.witnessed_at is None:
        return "confirmed by no independent timekeeper"
    return f"confirmed by {names} at {opened.witnessed_at:%Y-%m-%d %H:%M:%S} UTC"


def _json(round_: Round) -> dict[str, Json]:
    opened = round_.opened
    value: dict[str, Json] = {
        "log": round_.log,
        "at": instant(round_.at),
        "first": round_.first,
        "unreachable": round_.unreachable or None,
        "unreachable_since": None if round_.since is None else instant(round_.since),
        "alarms": len(round_.alarms),
        "findings": [
            {
                "kind": each.finding.kind,
                "severity": each.finding.severity,
                "told": each.finding.told,
                "new": each.new,
                "evidence": None if each.folder is None else str(each.folder),
            }
            for each in round_.told
        ],
    }
    if opened is not None:
        witnesses: dict[str, Json] = dict(opened.witnesses)
        head = opened.checkpoint
        value |= {"origin": head.origin, "size": head.size, "root": b64(head.root), "witnesses": witnesses}
    return value
