"""The life of a demand: its twelve verbs in plain words, and the picture that the README and the pages show."""

from dataclasses import dataclass
from typing import Literal

from dueprocess.ui.rendering import render

Actor = Literal["anyone", "staff", "two", "machine", "you"]

ACTORS: dict[Actor, str] = {
    "anyone": "anyone",
    "staff": "one person",
    "two": "two people",
    "machine": "machine",
    "you": "you, or we",
}


@dataclass(frozen=True, slots=True)
class Verb:
    """One step: its verb, the plain word for it, two short lines on what happens, and who acts."""

    name: str
    plain: str
    lines: tuple[str, str]
    actor: Actor


LIFE: tuple[Verb, ...] = (
    Verb("receive", "arrives", ("the paper is kept", "exactly as it came"), "anyone"),
    Verb("authenticate", "is checked", ("is it really them?", "we call them back"), "staff"),
    Verb("read", "is transcribed", ("a person writes", "down what it asks"), "staff"),
    Verb("assess", "is compared with the law", ("what does the law", "let them have?"), "staff"),
    Verb(
        "narrow", "is reduced to what the law allows", ("the excess is cut,", "each with a reason"), "staff"
    ),
    Verb("decide", "is decided by two people", ("two people sign;", "one can refuse"), "two"),
    Verb("seal", "is recorded", ("the decision is", "fixed in the log"), "machine"),
    Verb("produce", "data are collected", ("reads the log, then", "collects only that"), "machine"),
    Verb("deliver", "the answer package goes out", ("once, encrypted", "for this authority"), "staff"),
    Verb("notify", "you are told", ("you get a letter", "and a receipt"), "machine"),
    Verb("challenge", "somebody objects", ("an objection holds", "the data back"), "you"),
    Verb("close", "is closed", ("the case ends,", "a row is counted"), "staff"),
)
"""The verbs in order. Source: architecture.md, section 2."""


def life_of_a_demand() -> str:
    """The picture as one SVG text, 960 by 452 units, readable on white and on dark ground.

    It carries its own light ground and presentation attributes only: no style, script, font or link.
    """
    return render("life.svg", verbs=LIFE, actors=ACTORS)
