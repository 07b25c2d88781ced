"""Whether a pack is old: when it was reviewed or read, and which of its rules have ended or end soon.

A pure function of the pack and a day, so that an assessment and the office's front page say the same.

Source: law.md 7, trap 10 (law goes stale without a sound).
"""

import datetime as dt
from collections.abc import Iterator

from dueprocess.law.assessment import Finding
from dueprocess.law.matter import says
from dueprocess.law.pack import Pack, Rule

STALE_DAYS = 180
"""A pack that was reviewed, or whose sources were read, longer ago than this says so."""

SOON_DAYS = 60
"""A rule that ends within so many days says so."""


def pack_warnings(pack: Pack, on: dt.date) -> tuple[Finding, ...]:
    """What has grown old in a pack on a day; each finding only informs.

    ``note.stale``: the review, or without one the oldest reading of a source, is more than 180 days old.
    ``note.ended``: the last version of a rule is over. ``note.ends-soon``: it will be within 60 days.
    """
    return (*_stale(pack, on), *_ends(pack, on))


def pack_notes(pack: Pack, on: dt.date) -> list[Finding]:
    """What a reader of an assessment must know about a pack: that nobody reviewed it, and what has grown old."""
    if pack.reviewed_by:
        return [*pack_warnings(pack, on)]
    text = f"No counsel has reviewed the pack {pack.id} {pack.version}. {pack.status}"
    do = "Have your own counsel review the pack and enter who did and when."
    return [Finding("note.not-reviewed", "note", "informs", text, do=do), *pack_warnings(pack, on)]


def _stale(pack: Pack, on: dt.date) -> Iterator[Finding]:
    oldest = min((each.read_on for each in pack.sources if each.read_on), default=None)
    since, what = oldest, f"A source of the pack {pack.id} was last read"
    if pack.reviewed_by:
        since, what = pack.reviewed_on, f"The pack {pack.id} was last reviewed"
    if since is not None and (on - since).days > STALE_DAYS:
        text = f"{what} on {since.isoformat()}, more than {STALE_DAYS} days ago."
        yield Finding("note.stale", "note", "informs", text, do="Look for a newer pack.")


def _ends(pack: Pack, on: dt.date) -> Iterator[Finding]:
    """Of each rule the last version counts: one that another follows does not end."""
    soon = on + dt.timedelta(days=SOON_DAYS)
    for last in _last_versions(pack, soon):
        over = last.until is not None and last.until <= on
        code, verb = ("note.ended", "ended") if over else ("note.ends-soon", "ends")
        text = f"The rule {last.id} of the pack {pack.id} {verb} on {last.until}. {last.text}"
        yield says(last, code, "note", "informs", text=text, do="Look for a newer pack.")


def _last_versions(pack: Pack, soon: dt.date) -> list[Rule]:
    """The rules of every kind that end by a day, without those that a later version follows."""
    kinds = (
        pack.rules,
        [each.rule for each in pack.clocks],
        [each.rule for each in pack.nondisclosure],
        [each.rule for each in pack.instruments],
    )
    return [
        rule
        for rules in kinds
        for rule in rules
        if rule.until is not None
        and rule.until <= soon
        and not any(other.id == rule.id and other.since >= rule.until for other in rules)
    ]
