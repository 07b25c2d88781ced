"""The public site: five pages, a style sheet and the intake profile, as files that any web server can hand out.

Nothing here knows a case. The facts are the operator's own, the packs in force, the log's head, a list of reports.
"""

from markupsafe import Markup

from dueprocess.ui.facts import PublicFacts
from dueprocess.ui.life import life_of_a_demand
from dueprocess.ui.profile import profile_bytes
from dueprocess.ui.rendering import render, stylesheet
from dueprocess.ui.serving import WELL_KNOWN, intake_profile

PAGES = ("index.html", "serve.html", "log.html", "verify.html", "reports.html")


def render_public_site(facts: PublicFacts) -> dict[str, bytes]:
    """All files of the public site by path: pages, ``style.css`` and ``.well-known/dueprocess.json``.

    No script, cookie or outside address. The page for authorities and the profile are made from one value.
    """
    # Our own drawing, escaped inside its own template; everything else stays escaped.
    picture = Markup(life_of_a_demand())  # noqa: S704 - made by our template from our own constants
    policy = facts.log.policy if facts.log else "policy.txt"
    profile = intake_profile(facts)
    context = {"f": facts, "p": profile, "picture": picture, "policy": policy, "well_known": WELL_KNOWN}
    pages = {
        path: render(f"public/{path}", here=path, stylesheet="style.css", **context).encode()
        for path in PAGES
    }
    return pages | {"style.css": stylesheet(), WELL_KNOWN: profile_bytes(profile)}
