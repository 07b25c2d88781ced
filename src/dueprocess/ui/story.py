"""The page of a demonstration: what happened in each case, which attacks failed, how to check all of it."""

import datetime as dt
from dataclasses import dataclass

from markupsafe import Markup

from dueprocess.ui.life import life_of_a_demand
from dueprocess.ui.rendering import render


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step of a case: ``verb`` of the life of a demand, who did it and when (by the declared clock)."""

    verb: str
    who: str
    at: dt.datetime
    what: str
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class StoryCase:
    """One case: a title, a summary of two or three sentences, its steps in order."""

    title: str
    summary: str
    steps: tuple[StoryStep, ...]


@dataclass(frozen=True, slots=True)
class StoryAttack:
    """One attack that was really tried, and what the program said. ``stopped`` False is shown in capitals."""

    name: str
    tried: str
    reason: str
    code: str = ""
    stopped: bool = True


@dataclass(frozen=True, slots=True)
class StoryPaper:
    """One real paper: what was read, what could not be, what it may obtain and what not."""

    file: str
    read: tuple[str, ...]
    unreadable: tuple[str, ...]
    may: tuple[str, ...]
    may_not: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoryFigure:
    """One number of the summary, with its words."""

    number: str
    what: str


@dataclass(frozen=True, slots=True)
class StoryCommand:
    """A command to run in the folder, and a sentence on what it shows."""

    command: str
    shows: str


@dataclass(frozen=True, slots=True)
class StoryFile:
    """A file or folder beside the page, by its relative path."""

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Story:
    """The whole page. ``summary`` is read in a minute: its first sentence is shown large.

    ``clock_note`` says that the clock is simulated, and how. ``papers_note`` introduces the real papers.
    """

    title: str
    summary: tuple[str, ...]
    clock_note: str
    cases: tuple[StoryCase, ...]
    attacks: tuple[StoryAttack, ...]
    files: tuple[StoryFile, ...]
    commands: tuple[StoryCommand, ...]
    figures: tuple[StoryFigure, ...] = ()
    papers: tuple[StoryPaper, ...] = ()
    papers_note: str = ""
    closing: str = (
        "Made by dueprocess from what really happened in this run. People and places are fictional."
    )


def render_story(story: Story, *, stylesheet: str = "style.css") -> str:
    """One HTML page that tells the story in order, with the picture and the commands to check it."""
    picture = Markup(life_of_a_demand())  # noqa: S704 - made by our template from our own constants
    return render("story.html", s=story, stylesheet=stylesheet, picture=picture)
