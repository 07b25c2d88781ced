"""Rule packs: loading all of them, assessing demands with all of them loaded, counting working days.

    bench/law.py             about half a minute
    bench/law.py --rounds 3  a quick look

Prints one JSON line for each figure: {"name", "ours", "baseline", "ratio", "unit"}. Each baseline is the least work
that anybody must do with the same input: tomllib alone on the same texts; the demand as JSON, hashed; a bare loop
over days. Times are the processor's for this process, one core, without the database and without a disk: the texts
of the packs lie ready in memory, and no set of packs is kept between two rounds.
"""

import argparse
import datetime as dt
import hashlib
import itertools
import json
import statistics
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from dueprocess.demand import Answer, Demand, IssuerKind, Period, Scope, ScopeItem, Target, expand
from dueprocess.law import Calendar, Pack, assess, effective, parse_packs
from dueprocess.law.duedates import Span, WorkingDays, due_date
from dueprocess.library.calendars import calendar
from dueprocess.library.packs import shipped_as_written, shipped_file

ON = dt.date(2026, 11, 22)
RECEIVED = dt.datetime(2026, 11, 20, 17, 2, tzinfo=dt.UTC)
SECONDS = 0.4
"""How long each batch of a rate runs."""


def seconds(act: Callable[[], object], rounds: int) -> float:
    """Processor time of one call: the median of some."""
    found = []
    for _ in range(rounds):
        begun = time.process_time()
        act()
        found.append(time.process_time() - begun)
    return statistics.median(found)


def rate(act: Callable[[], object], rounds: int) -> float:
    """Calls per second of processor time: the median of some batches."""
    act()
    found = []
    for _ in range(rounds):
        calls, begun, spent = 0, time.process_time(), 0.0
        while spent < SECONDS:
            for _ in range(50):
                act()
            calls, spent = calls + 50, time.process_time() - begun
        found.append(calls / spent)
    return statistics.median(found)


def tell(name: str, ours: float, baseline: float, unit: str) -> None:
    digits = 3 if unit == "s" else 0
    line = {"name": name, "ours": round(ours, digits), "baseline": round(baseline, digits), "unit": unit}
    print(json.dumps({**line, "ratio": round(ours / baseline, 3)}), flush=True)


# -------------------------------------------------------------------------------------------- loading


def loading(texts: Sequence[tuple[str, str]], rounds: int) -> None:
    """Every shipped pack from its text to the rules that apply: read strictly, proved as a set, overlays laid over."""
    ours = seconds(lambda: effective(parse_packs(texts)), rounds)
    bare = seconds(lambda: [tomllib.loads(text) for _, text in texts], rounds)
    size = sum(len(text.encode()) for _, text in texts) // 1024
    tell(f"load all {len(texts)} packs ({size} KiB), against tomllib alone", ours, bare, "s")


# ------------------------------------------------------------------------------------------ assessing


def demand(pack: Pack, instrument: str, issuer: IssuerKind, answers: Mapping[str, Answer]) -> Demand:
    """A complete paper about one account over a month. It asks for everything, so that something is always cut."""
    asked = pack.instrument(instrument, ON)
    assert asked is not None
    start = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    period = Period(start, start + dt.timedelta(days=30))
    categories = expand(["subscriber", "session", "traffic", "content"])
    item = ScopeItem(Target("account", "@eva:chat.example"), categories, period)
    return Demand(
        kind=asked.demand_kind,
        regime=pack.id.partition(".")[0],
        instrument=instrument,
        scope=Scope(bytes(32), (item,)),
        received_at=RECEIVED,
        issuer_kind=issuer,
        country="US" if pack.countries == ("US",) else "DE",
        legal_bases=("as on the paper",),
        issued_on=dt.date(2026, 11, 18),
        due_on=dt.date(2026, 12, 4),
        elements=frozenset(each.code for each in asked.elements),
        answers=answers,
        flags_checked=True,
    )


CERTIFICATE: dict[str, Answer] = {
    "other_state": True,
    "service_kind": "communications",
    "proceedings": "criminal_proceedings",
    "offence_class": "max_3_years_or_more",
    "deadline": "ten_days",
    "enforcing_authority": "not_notified",
    "addressed_as": "controller",
    "channel": "system",
    "section_m_present": "absent",
    "unvalidated_box": False,
}
REQUEST: dict[str, Answer] = {"service_type": "forum", "request_form": "written", "specialist_checked": True}


def papers(packs: Mapping[str, Pack]) -> dict[str, Demand]:
    """Four ordinary papers."""
    sca, evidence, german = packs["us.sca"], packs["eu.evidence"], packs["de.bund"]
    return {
        "a subpoena (us.sca)": demand(sca, "subpoena", "grand_jury", {}),
        "a 2703(d) order (us.sca)": demand(sca, "d_order", "court", {}),
        "an EPOC (eu.evidence)": demand(evidence, "epoc", "prosecutor", CERTIFICATE),
        "a request under § 22 TDDDG (de.bund)": demand(german, "bestandsdaten_tdddg", "police", REQUEST),
    }


def assessing(packs: Mapping[str, Pack], calendars: Sequence[Calendar], rounds: int) -> None:
    """Assessments with all packs at hand, one by one and in turn."""
    law, asked = list(packs.values()), papers(packs)

    def once(paper: Demand) -> object:
        return assess(paper, law, on=ON, calendars=calendars)

    def hashed(paper: Demand) -> str:
        return hashlib.sha256(json.dumps(paper.as_json(), sort_keys=True).encode()).hexdigest()

    for name, paper in asked.items():
        ours, bare = (
            rate(partial(once, paper), rounds),
            rate(partial(hashed, paper), rounds),
        )
        tell(f"assess {name}, against its demand as JSON with SHA-256", ours, bare, "per second")
    turn, other = itertools.cycle(asked.values()), itertools.cycle(asked.values())
    ours, bare = rate(lambda: once(next(turn)), rounds), rate(lambda: hashed(next(other)), rounds)
    tell("assess the four in turn, against their demands as JSON with SHA-256", ours, bare, "per second")


# ------------------------------------------------------------------------------------------- counting


def counting(german: Calendar, rounds: int) -> None:
    """Three working days after a receipt on each day of a year, with the arithmetic in words."""
    zone, span, days = (
        ZoneInfo("Europe/Berlin"),
        Span(3, "working_days", "after_day"),
        WorkingDays("DE", [german]),
    )
    starts = itertools.cycle([RECEIVED - dt.timedelta(days=each) for each in range(365)])

    def bare() -> dt.datetime:
        """The same count without words, checks or a choice of calendar."""
        last, left = next(starts).astimezone(zone).date(), 3
        while left:
            last += dt.timedelta(days=1)
            left -= last.weekday() < 5 and last not in german.days
        return dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), zone).astimezone(dt.UTC)

    ours = rate(lambda: due_date("received", next(starts), span, zone, days), rounds)
    tell(
        "three working days in Germany with their arithmetic, against a bare loop",
        ours,
        rate(bare, rounds),
        "per second",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    files = [shipped_file(each) for each in shipped_as_written()]
    texts = [(each.name, each.text) for each in files]
    loading(texts, rounds)
    packs = {each.id: each for each in effective(parse_packs(texts))}
    german = calendar("DE", 2025, 2027)
    assessing(packs, [german], rounds)
    counting(german, rounds)


if __name__ == "__main__":
    main()
