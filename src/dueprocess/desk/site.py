"""The public pages: written as files whenever the log has grown, served by anything that serves files."""

import datetime as dt

from dueprocess.desk.desk import Desk
from dueprocess.history import ledger
from dueprocess.notice import Sender
from dueprocess.publication.durable import write_durable
from dueprocess.tlog.checkpoint import open_checkpoint
from dueprocess.tlog.tiles import CHECKPOINT_PATH
from dueprocess.ui.pages import LogHead, PublicFacts, ReportLink, render_public_site
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
    instruments = tuple(
        instrument.name
        for pack in desk.packs.values()
        if pack.id.startswith(f"{place.regime}.")
        for instrument in pack.instruments
        if not instrument.emergency  # assessed, but not answered in this version
    )
    return PublicFacts(
        operator=Sender(place.operator, place.contact, host),
        about=f"{place.operator} answers what authorities demand through dueprocess.",
        law=place.country,
        serve_at=place.contact,
        accepts=instruments,
        languages=("English",),
        log=_head(desk),
        reports=_reports(desk),
    )


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
