"""The public site: five pages and a style sheet, as files that any web server can hand out.

Nothing here knows a case. The facts are the operator's own, the log's head, and a list of reports.
"""

import datetime as dt
from dataclasses import dataclass

from markupsafe import Markup

from dueprocess.notice import Sender
from dueprocess.ui.life import life_of_a_demand
from dueprocess.ui.rendering import render, stylesheet

PAGES = ("index.html", "serve.html", "log.html", "verify.html", "reports.html")


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest checkpoint. ``address`` is where the tiles are, with a final slash; ``witnesses`` may be empty."""

    origin: str
    size: int
    root: str
    at: dt.datetime
    vkey: str
    address: str
    policy: str
    witnesses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportLink:
    """One published half-year: ``2026H2`` and the path of its page."""

    period: str
    path: str


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What the operator says about itself. ``about`` is one sentence; ``law`` names the law that binds it.

    ``serve_at`` is where an authority sends its paper; ``emergency_at`` is empty where nobody answers at
    night. ``log`` is None before the first checkpoint.
    """

    operator: Sender
    about: str
    law: str
    serve_at: str
    accepts: tuple[str, ...]
    languages: tuple[str, ...]
    emergency_at: str = ""
    log: LogHead | None = None
    reports: tuple[ReportLink, ...] = ()


def render_public_site(facts: PublicFacts) -> dict[str, bytes]:
    """All files of the public site by path: pages, ``style.css``. No script, cookie or outside address."""
    # Our own drawing, escaped inside its own template; everything else stays escaped.
    picture = Markup(life_of_a_demand())  # noqa: S704 - made by our template from our own constants
    policy = facts.log.policy if facts.log else "policy.txt"
    pages = {
        path: render(
            f"public/{path}", f=facts, here=path, stylesheet="style.css", picture=picture, policy=policy
        ).encode()
        for path in PAGES
    }
    return pages | {"style.css": stylesheet()}
