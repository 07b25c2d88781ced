"""Printing: text for people, or with --json one JSON value; and a sign of life while something takes long."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def say(lines: list[str] | str, value: Any, *, as_json: bool) -> None:
    """Prints the text, or the value as one JSON document."""
    if as_json:
        text = json.dumps(value, ensure_ascii=False, indent=2, default=str)
    else:
        text = lines if isinstance(lines, str) else "\n".join(lines)
    sys.stdout.write(text.rstrip("\n") + "\n")


def counted(number: int, name: str, plural: str = "") -> str:
    """A number with its noun: 1 page, 2 pages."""
    return f"{number} {name if number == 1 else plural or name + 's'}"


@contextmanager
def working(what: str) -> Iterator[Callable[[str], object]]:
    """Shows on a terminal that something is being done, and since when; says nothing to a pipe or a file.

    Gives a function that shows other words.
    """
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich.console import Console  # noqa: PLC0415  only where somebody looks
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda words: progress.update(task, description=words)


def _unseen(_words: str) -> None:
    """Nobody looks."""


def cut(text: str, most: int = 100) -> str:
    """A line as far as a screen shows it; a key of ML-DSA-44 has 1,800 characters."""
    return text if len(text) <= most else f"{text[:most]}…"
