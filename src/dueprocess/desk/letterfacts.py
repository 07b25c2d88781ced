"""From what is known and what a person adds to the facts of one letter, and to the codes of what it states."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import cast

from dueprocess.cases.reply import INSIDE
from dueprocess.desk.letterfile import Values
from dueprocess.desk.letterground import Ground
from dueprocess.law import Finding
from dueprocess.law.pack import LetterCode
from dueprocess.notice import (
    Box,
    Certificate,
    MoreTime,
    Office,
    Period,
    Point,
    Removal,
    ReplyFacts,
    Route,
    Sender,
    Silence,
    ThirdCountryLaw,
    boxes_of,
    periods_of,
    points_of,
)
from dueprocess.notice.annex3 import TO_CLARIFY
from dueprocess.notice.complete import lacking, objecting
from dueprocess.notice.reply import Hindrance, Interest, Topic

_REASONS = "reasons."
_SUMMARY = "cut.until-answered"
"""Says that nothing is within reach while other findings are open: these are the reasons, this is none."""
_TOPICS: tuple[Topic, ...] = ("comity", "quash", "reverse", "silence")


@dataclass(frozen=True, slots=True)
class _Filled:
    """The values with their types; `parse_letter_file` has checked them."""

    values: Values

    def text(self, name: str) -> str:
        return cast("str", self.values.get(name, ""))

    def texts(self, name: str) -> tuple[str, ...]:
        return cast("tuple[str, ...]", self.values.get(name, ()))

    def flag(self, name: str) -> bool | None:
        return cast("bool | None", self.values.get(name))

    def day(self, name: str) -> dt.date | None:
        return cast("dt.date | None", self.values.get(name))

    def section(self, name: str) -> bool:
        return any(each.startswith(f"{name}.") for each in self.values)


def facts_of(ground: Ground, code: LetterCode, values: Values, on: dt.date) -> ReplyFacts:
    """What the letter states, dated ``on``; parts of which nothing is known are left out."""
    given = _Filled(values)
    return ReplyFacts(
        sender=Sender(given.text("sender.name"), given.text("sender.contact"), given.text("sender.address")),
        recipient=given.text("counsel" if code in INSIDE else "recipient"),
        recipient_address=() if code in INSIDE else given.texts("recipient_address"),
        written_on=on,
        received_on=ground.received_on,
        instrument=ground.instrument,
        instrument_code=ground.instrument_code,
        reference=given.text("reference"),
        own_reference=given.text("own_reference"),
        signed_by=given.text("signed_by"),
        points=(*_points(ground), *(_own_points(ground, values) if code == "annex3" else ())),
        periods=_periods(ground, code, given.texts("more_time.clocks")),
        reasons=_boxes(ground, values),
        preserved=given.flag("preserved"),
        certificate=_certificate(given),
        office=_office(given) if given.section("office") else None,
        third_country=_law(given) if given.section("third_country") else None,
        more_time=_more_time(given),
        removal=_removal(ground, given) if given.texts("removal.hindrances") else None,
        silence=_silence(ground, given, on),
        route=_route(given),
        court_path=given.text("court_path"),
        report_to=given.text("report_to"),
        topics=cast("tuple[Topic, ...]", given.texts("topics")) or _TOPICS,
    )


def stated(ground: Ground, code: LetterCode, values: Values) -> tuple[str, ...]:
    """Codes of the findings that the letter states, and ``reasons.CODE`` for a box that a person ticked."""
    states = {"deficiency": lacking, "refusal": objecting, "objection": objecting, "annex3": objecting,
              "redirect": objecting}  # fmt: skip
    if code not in states or ground.assessment is None:
        return ()
    found = [each.code for each in ground.assessment.findings if states[code](_points(ground, each))]
    own = [name for name in values if name.startswith(_REASONS)] if code == "annex3" else []
    return tuple(dict.fromkeys([*found, *own]))


def _points(ground: Ground, *only: Finding) -> tuple[Point, ...]:
    """What the assessment found, or these findings of it.

    Of a paper that names nobody, the rule that nobody can answer it is the first reason of every refusal, and no note.
    """
    found = ground.assessment
    if found is None:
        return ()
    findings = tuple(each for each in only or found.findings if each.code != _SUMMARY)
    if found.reverse is not None:
        findings = tuple(replace(each, kind="cut") if _bars(each) else each for each in findings)
    return points_of(replace(found, findings=findings))


def _bars(finding: Finding) -> bool:
    return finding.kind == "note" and finding.severity == "blocks"


def _own_points(ground: Ground, values: Values) -> tuple[Point, ...]:
    """A person's own explanation of a box, with the box's place in the law; what is unclear is asked for with it."""
    codes = [name.removeprefix(_REASONS) for name in values if name.startswith(_REASONS)]
    words = {code: str(values[_REASONS + code]) for code in codes}
    return tuple(
        Point(
            "note",
            words[code],
            _source(ground, code),
            code,
            words[code] if code in TO_CLARIFY else "",
            own=True,
        )
        for code in codes
    )


def _source(ground: Ground, code: str) -> str:
    """The place in the law of a box on its form."""
    assert ground.assessment is not None  # only the form of Annex III has boxes, and it needs one
    on = ground.assessment.on
    rules = [pack.rule(each.rule, on) for pack in ground.packs for each in pack.reasons if each.code == code]
    return next((str(each.citation) for each in rules if each is not None), "")


def _boxes(ground: Ground, values: Values) -> tuple[Box, ...]:
    boxes = boxes_of(ground.assessment, ground.packs) if ground.assessment is not None else ()
    return tuple(replace(each, ticked=each.ticked or _REASONS + each.code in values) for each in boxes)


def _periods(ground: Ground, code: LetterCode, wanted: tuple[str, ...]) -> tuple[Period, ...]:
    """Counsel sees every time limit; an authority those that the writer chose."""
    if ground.assessment is None:
        return ()
    clocks = None if code == "motion_checklist" else wanted
    return periods_of(ground.assessment, ground.packs, country=ground.country, clocks=clocks)


def _certificate(given: _Filled) -> Certificate | None:
    issued_on, kind = given.day("certificate.issued_on"), given.text("certificate.kind")
    if issued_on is None or not kind:
        return None
    return Certificate(
        "EPOC-PR" if kind == "EPOC-PR" else "EPOC",
        issued_on,
        given.text("certificate.validating"),
        given.text("certificate.validating_reference"),
        given.text("certificate.enforcing"),
        given.text("certificate.enforcing_reference"),
    )


def _office(given: _Filled) -> Office:
    names = ("name", "person", "address", "email", "authorised", "post", "phone", "fax")
    return Office(**{each: given.text(f"office.{each}") for each in names})


def _law(given: _Filled) -> ThirdCountryLaw:
    names = ("title", "provisions", "why_applicable", "why_conflict", "link", "consequences", "more")
    return ThirdCountryLaw(
        interests=cast("tuple[tuple[Interest, str], ...]", given.values.get("third_country.interests", ())),
        **{each: given.text(f"third_country.{each}") for each in names},
    )


def _more_time(given: _Filled) -> MoreTime | None:
    until = given.day("more_time.until")
    return MoreTime(until, given.texts("more_time.because")) if until is not None else None


def _removal(ground: Ground, given: _Filled) -> Removal:
    arrived = cast("dt.datetime", given.values.get("removal.received_at", ground.received_at))
    return Removal(
        arrived.astimezone(ground.zone),
        cast("tuple[Hindrance, ...]", given.texts("removal.hindrances")),
        given.text("removal.because"),
        given.text("removal.needed"),
    )


def _silence(ground: Ground, given: _Filled, on: dt.date) -> Silence | None:
    began_on = given.day("silence.began_on")
    if began_on is None:
        return None
    asked = {*ground.asked, *cast("tuple[dt.date, ...]", given.values.get("silence.asked", ()))}
    return Silence(
        given.text("silence.order"),
        began_on,
        given.text("silence.court"),
        given.text("silence.docket"),
        tuple(sorted(each for each in asked if each < on)),
        federal=given.flag("silence.federal") is True,
    )


def _route(given: _Filled) -> Route | None:
    foreign = given.flag("route.foreign")
    if foreign is None:
        return None
    return Route(
        foreign, given.flag("route.gdpr") is True, given.text("route.treaty"), given.text("route.authority")
    )
