"""A pack from TOML, strictly. What is not said with a source, a date and a basis is not law here."""

import datetime as dt
from dataclasses import replace
from typing import get_args

from dueprocess.law.pack import Pack, PackKind
from dueprocess.law.parsing.checks import check_pack
from dueprocess.law.parsing.parse_head import countries, holidays, zone, zones
from dueprocess.law.parsing.parse_parts import instrument, tightening
from dueprocess.law.parsing.parse_rules import (
    clock,
    flag,
    floor,
    ident,
    nondisclosure,
    question,
    reason,
    rule_entry,
    sources,
)
from dueprocess.law.parsing.table import Table, read_toml
from dueprocess.wire import Json, digest_of

_KINDS: tuple[PackKind, ...] = get_args(PackKind)
_BELONGS: dict[str, tuple[PackKind, ...]] = {
    "floor": ("baseline",),
    "flag": ("baseline", "overlay"),
    "tighten": ("overlay",),
    "clock": ("regime", "baseline"),
    "nondisclosure": ("regime", "baseline"),
    "instrument": ("regime", "baseline"),
}
"""Entries that only some kinds of pack have."""
_HEAD_BELONGS: dict[str, tuple[PackKind, ...]] = {
    "overlays": ("overlay",),
    "countries": ("regime", "baseline"),
    "zone": ("regime", "baseline"),
    "zones": ("regime", "baseline"),
    "holidays": ("regime", "baseline"),
}


def parse_pack(text: str, where: str) -> Pack:
    """The pack in a TOML text; ``where`` names the file in messages, which also name the line.

    Refuses with ``MalformedError``, and nothing else: unknown keys, rules without source or dates, citations
    of undeclared sources, references to undeclared rules, unknown categories, words and facts, empty, overlapping
    or gapped date ranges, categories on which an instrument is silent or says both yes and no, and any reach for
    secrets. What only several packs together can break is for ``parse_packs``.
    """
    return read_pack(text, where)[0]


def read_pack(text: str, where: str) -> tuple[Pack, Table]:
    """The pack, and its outermost table, which finds the lines of places in it."""
    top = read_toml(text, where)
    head = top.table("pack")
    kind: PackKind = head.choice("kind", _KINDS) if head.has("kind") else "regime"
    _check_belongs(top, _BELONGS, kind)
    _check_belongs(head, _HEAD_BELONGS, kind)
    pack = _pack(top, head, kind)
    check_pack(top, pack)
    return pack, top


def _check_belongs(table: Table, belongs: dict[str, tuple[PackKind, ...]], kind: PackKind) -> None:
    for key, kinds in belongs.items():
        if table.has(key) and kind not in kinds:
            table.fail(
                key,
                f'A pack of the kind "{kind}" has no `{key}`; it belongs to: {", ".join(kinds)}.',
                do=f'Remove it, or say what kind of pack this is: kind = "{kinds[0]}".',
            )


def _pack(top: Table, head: Table, kind: PackKind) -> Pack:
    declared = sources(top)
    reviewed_by = head.maybe_text("reviewed_by")
    pack = Pack(
        id=ident(head, "id"),
        version=head.text("version"),
        jurisdiction=head.text("jurisdiction"),
        title=head.text("title"),
        status=head.text("status"),
        reviewed_by=reviewed_by,
        reviewed_on=head.day("reviewed_on") if reviewed_by else None,
        kind=kind,
        overlays=ident(head, "overlays") if kind == "overlay" else "",
        countries=countries(head),
        zone=zone(head),
        zones=zones(head),
        holidays=holidays(head),
        sources=tuple(declared.values()),
        rules=tuple(rule_entry(each, declared) for each in top.tables("rule")),
        clocks=tuple(clock(each, declared) for each in top.tables("clock")),
        nondisclosure=tuple(nondisclosure(each, declared) for each in top.tables("nondisclosure")),
        instruments=tuple(instrument(each, declared) for each in top.tables("instrument")),
        questions=tuple(question(each) for each in top.tables("question")),
        reasons=tuple(reason(each) for each in top.tables("reason")),
        flags=tuple(flag(each) for each in top.tables("flag")),
        floor=floor(top.table("floor")) if kind == "baseline" else None,
        tightenings=tuple(tightening(each) for each in top.tables("tighten")),
        sha256="",
    )
    head.done()
    top.done()
    return replace(pack, sha256=digest_of(_as_json(top.content)))


def _as_json(value: object) -> Json:
    if isinstance(value, dict):
        return {str(key): _as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return value.isoformat() if isinstance(value, dt.date) else value  # type: ignore[return-value]  # the strict reader leaves only bool, int and str here; canonical refuses the rest
