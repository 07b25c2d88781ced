"""The report as one page: bars where there are numbers, an honest sentence where there are none."""

import itertools
from dataclasses import dataclass

from dueprocess.report import MEANINGS, OTHER, OUTCOMES, Cell, Register, Report
from dueprocess.ui.rendering import render

_CHARTS = (
    ("demand_kind", "What was asked"),
    ("outcome", "How it ended"),
    ("country", "Where the authority is"),
)
_ROW = 44
_WIDEST = 360


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name and number, its place from the top and its width, in units of the drawing."""

    name: str
    number: int
    y: int
    width: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars of one dimension; a withheld number has no bar, not even an empty one."""

    title: str
    bars: tuple[Bar, ...]

    @property
    def height(self) -> int:
        return _ROW * len(self.bars)


def render_report(report: Report, register: Register, *, operator: str, stylesheet: str = "style.css") -> str:
    """One HTML page for a half-year. ``stylesheet`` is the address of the one CSS file."""
    named = ((cell.id.partition(":")[0], cell) for cell in report.cells)
    groups = [
        (name, [(cell, _value(cell)) for _, cell in cells])
        for name, cells in itertools.groupby(named, key=lambda pair: pair[0])
    ]
    charts = [chart for name, title in _CHARTS if (chart := _chart(report, name, title)).bars]
    return render(
        "report.html",
        report=report,
        register=register,
        operator=operator,
        stylesheet=stylesheet,
        groups=groups,
        charts=charts,
        meanings=MEANINGS,
        outcomes=OUTCOMES,
    )


def _value(cell: Cell) -> str:
    return cell.id.partition(":")[2] or "all"


def _chart(report: Report, name: str, title: str) -> Chart:
    numbers = [
        (_value(cell), cell.number)
        for cell in report.cells
        if cell.id.startswith(f"{name}:") and cell.number is not None
    ]
    ordered = sorted(numbers, key=lambda pair: (pair[0] == OTHER, -pair[1], pair[0]))
    most = max((number for _, number in numbers), default=1)
    bars = (
        Bar(_words(value), number, _ROW * place, max(2, _WIDEST * number // most))
        for place, (value, number) in enumerate(ordered)
    )
    return Chart(title, tuple(bars))


def _words(value: str) -> str:
    return OUTCOMES.get(value, value)
