"""The public pages and the intake profile: files, written whenever the log has grown, served by any web server."""

import datetime as dt

from dueprocess.desk.desk import Desk
from dueprocess.history import ledger
from dueprocess.history.append import load_events
from dueprocess.notice import Sender
from dueprocess.publication.durable import write_durable
from dueprocess.tlog.checkpoint import open_checkpoint
from dueprocess.tlog.tiles import CHECKPOINT_PATH
from dueprocess.ui import LogHead, PublicFacts, ReportLink, render_public_site
from dueprocess.wire import parse_instant


def write_site(desk: Desk) -> None:
    """Renders the public pages of this installation into its ``public`` folder."""
    place = desk.installation
    for path, content in render_public_site(public_facts(desk)).items():
        target = place.public / path
        if not target.exists() or target.read_bytes() != content:
            write_durable(target, content)


def public_facts(desk: Desk) -> PublicFacts:
    """What the pages say: the operator's own facts, the log's head, the published reports."""
    place = desk.installation
    host = place.origin.split("/")[0]
    head = _head(desk)
    return PublicFacts(
        origin=place.origin,
        operator=Sender(place.operator, place.contact, host),
        about=f"{place.operator} answers what authorities demand through dueprocess.",
        country=place.country,
        serve_at=place.contact,
        languages=("en",),
        on=_newest_day(desk, head),
        packs=tuple(desk.packs.values()),
        log=head,
        reports=_reports(desk),
    )


def _newest_day(desk: Desk, head: LogHead | None) -> dt.date:
    """The day (UTC) of the newest thing on record, whose versions of the rules are shown.

    It is no clock: the same history gives the same pages, and a day that begins brings an epoch of its own.
    """
    decided = parse_instant(load_events(desk.stream)[-1].recorded_at)
    return max(decided, head.at if head else decided).date()


def _head(desk: Desk) -> LogHead | None:
    if not (desk.installation.log / CHECKPOINT_PATH).exists():
        return None
    opened = open_checkpoint(desk.read_log(CHECKPOINT_PATH), desk.policy.unwitnessed)
    last = ledger.last_epoch(below=opened.checkpoint.size)
    if last is None:
        return None
    at: dt.datetime = parse_instant(last.closed_at)
    return LogHead(
        origin=opened.checkpoint.origin,
        size=opened.checkpoint.size,
        root=opened.checkpoint.root.hex(),
        at=at,
        vkey=opened.log_vkeys[0].text,
        address="log/",
        policy="policy.txt",
        witnesses=tuple(name for name, _ in opened.witnesses),
    )


def _reports(desk: Desk) -> tuple[ReportLink, ...]:
    folder = desk.installation.public / "reports"
    periods = sorted(each.name for each in folder.iterdir() if each.is_dir()) if folder.exists() else []
    return tuple(ReportLink(period, f"reports/{period}/index.html") for period in periods)
