"""What people see: the style sheet, base templates, the public site, the report's page, the story of a demo.

Pages are text made from plain values. They hold no script and no inline style, and load nothing from elsewhere.
"""

from dueprocess.ui.facts import LogHead, PublicFacts, ReportLink
from dueprocess.ui.life import LIFE, life_of_a_demand
from dueprocess.ui.pages import render_public_site
from dueprocess.ui.profile import IntakeProfile, profile_bytes
from dueprocess.ui.rendering import stylesheet
from dueprocess.ui.report_page import render_report
from dueprocess.ui.serving import WELL_KNOWN, intake_profile
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
    "WELL_KNOWN",
    "IntakeProfile",
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
    "intake_profile",
    "life_of_a_demand",
    "profile_bytes",
    "render_public_site",
    "render_report",
    "render_story",
    "stylesheet",
]
