"""What people see: the style sheet, base templates, the public site, the report's page, the story of a demo.

Pages are text made from plain values. They hold no script and no inline style, and load nothing from elsewhere.
"""

from dueprocess.ui.life import LIFE, life_of_a_demand
from dueprocess.ui.pages import LogHead, PublicFacts, ReportLink, render_public_site
from dueprocess.ui.rendering import stylesheet
from dueprocess.ui.report_page import render_report
from dueprocess.ui.story import (
    Story,
    StoryAttack,
    StoryCase,
    StoryCommand,
    StoryFigure,
    StoryFile,
    StoryPaper,
    StoryStep,
    render_story,
)

__all__ = [
    "LIFE",
    "LogHead",
    "PublicFacts",
    "ReportLink",
    "Story",
    "StoryAttack",
    "StoryCase",
    "StoryCommand",
    "StoryFigure",
    "StoryFile",
    "StoryPaper",
    "StoryStep",
    "life_of_a_demand",
    "render_public_site",
    "render_report",
    "render_story",
    "stylesheet",
]
