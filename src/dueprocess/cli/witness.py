"""`dueprocess witness`: keep the time for somebody else's log. Needs the base install only."""

import datetime as dt
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from dueprocess.cli.printing import counted, cut, say
from dueprocess.tlog.note import Vkey
from dueprocess.witness.place import (
    HOST,
    PORT,
    WitnessPlace,
    create_place,
    open_place,
    read_log_keys,
)
from dueprocess.witness.server import serve_in_thread
from dueprocess.witness.signer import WitnessSigner

app = App(
    name="witness",
    help="Be an independent timekeeper for somebody else's log. It sees sizes and checksums, never a demand.",
    help_format="plaintext",
)
JsonFlag = Annotated[bool, Parameter(negative="", help="Print one JSON value.")]

KEYS_FILE = "vkeys.txt"

_WHAT_IT_IS = """\
You are an independent timekeeper for somebody else's log.

What that means: each time the log grows, its program asks yours to sign its new length and checksum. Yours signs only
if nothing that was there before has changed. So the log's operator cannot rewrite the past or show two different
logs to two people without your program refusing.

What it sees: lengths and checksums. No demand, no name, no entry of the log. It does not write down who asks."""

_WHAT_TO_DO = """\
If it prints PROVEN: the log's operator signed two different histories. Keep the file that it names, send a copy to the
people who rely on the log, and to the operator: anyone can check it. If it prints Suspicious: ask the operator. It may
be a fault in sending. In both cases it has signed nothing, and you need not do anything else.

Never put an older copy of this folder back: the program would forget what it signed. If the folder is lost, start a
new witness with a new name."""


@app.command(name="init")
def init_command(
    folder: Path,
    /,
    *,
    name: Annotated[str, Parameter(help="a name of your own, such as witness.example/w1, without https://")],
    json: JsonFlag = False,
) -> None:
    """Make a witness: its folder and its two keys."""
    place = create_place(folder, name)
    vkeys = WitnessSigner.open(place.name, place.keys).vkeys
    (folder / KEYS_FILE).write_text("".join(f"{each.text}\n" for each in vkeys))
    lines = [
        *_WHAT_IT_IS.split("\n"),
        "",
        f"Made in {folder}. Its key is for the log's operator, who puts it into the log's policy:",
        f"  {vkeys[0].text}",
        "A second key, ML-DSA-44, which stays good if the first kind is broken, stands below it in",
        f"  {folder / KEYS_FILE}",
        "",
        "Next: ask the operator for policy.txt, compare the keys in it over another channel, then",
        f"  dueprocess witness add {folder} --log policy.txt",
        f"  dueprocess witness serve {folder}",
    ]
    say(lines, {"name": place.name, "vkeys": [each.text for each in vkeys]}, as_json=json)


@app.command(name="add")
def add_command(
    folder: Path,
    /,
    *,
    log: Annotated[
        list[str],
        Parameter(
            negative="", help="the operator's policy.txt, or a key of the log; name both keys with two --log"
        ),
    ],
    json: JsonFlag = False,
) -> None:
    """Watch a log: name the keys that it signs with. Takes effect when `serve` starts again."""
    place = open_place(folder)
    keys = [vkey for each in log for vkey in read_log_keys(each)]
    changed = place.add_logs(keys)
    lines: list[str] = []
    for origin, vkeys in changed.items():
        lines.append(f"Watches {origin}, by {counted(len(vkeys), 'key')}:")
        lines += [f"  {cut(each.text)}" for each in vkeys]
    lines.append("If it is being served now, stop it and start it again.")
    say(lines, {origin: [each.text for each in vkeys] for origin, vkeys in changed.items()}, as_json=json)


@app.command(name="serve")
def serve_command(
    folder: Path,
    /,
    *,
    host: Annotated[str | None, Parameter(help=f"where to listen; default witness.toml, else {HOST}")] = None,
    port: Annotated[int | None, Parameter(help=f"default witness.toml, else {PORT}; 0: a free one")] = None,
) -> None:
    """Run the witness until it is stopped. Put a web server with https before it."""
    place = open_place(folder)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    running = serve_in_thread(
        folder, clock=_now, host=host, port=place.port if port is None else port, report=_report
    )
    try:
        _tell("\n".join(_greeting(place, running.url, running.vkeys)))
        stop.wait()
    finally:
        running.stop()
    _tell("Stopped. Everything that it signed is kept.")


def _greeting(place: WitnessPlace, url: str, vkeys: tuple[Vkey, Vkey]) -> list[str]:
    logs = place.read_logs()
    lines = [*_WHAT_IT_IS.split("\n"), "", *_WHAT_TO_DO.split("\n"), "", f"Name: {place.name}"]
    lines += [f"Key:  {cut(each.text)}" for each in vkeys]
    lines += [f"Log:  {origin}" for origin in logs]
    if not logs:
        lines.append("It watches no log yet: dueprocess witness add DIR --log policy.txt")
    return [*lines, f"Listening at {url}   (Ctrl-C stops it)", ""]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _report(line: str) -> None:
    """A screen that went away must not cost a log its answer."""
    with suppress(OSError, ValueError):
        _tell(line)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
