"""Several packs together: read as one set, proved against each other, and laid over one another.

A single pack can be right and the set wrong: two packs of one name, an overlay without its pack or in a circle, an
overlay that would widen, a law below the floor. Each is an error that names file and line.

Source: docs/law.md, "Overlays and the floor".
"""

from collections.abc import Iterable, Iterator, Sequence

from dueprocess.errors import MalformedError
from dueprocess.law.pack import Pack
from dueprocess.law.parsing.layers import laid_over, overlays_of
from dueprocess.law.parsing.lines import place_name
from dueprocess.law.parsing.parse import read_pack
from dueprocess.law.parsing.proof import Fault, below_floor, clashes, misfits, not_tighter

type _Found = tuple[Pack, Fault]


def parse_packs(texts: Iterable[tuple[str, str]]) -> tuple[Pack, ...]:
    """The packs in TOML texts, given as (file, text), in the order of their ids.

    Refuses with ``MalformedError``, and nothing else, what ``parse_pack`` refuses of one of them, and: ids that are
    not unique, a second baseline, an overlay whose pack is missing or that overlays itself in a circle, an overlay
    that names what is not there or widens, and a pack that is lower than the baseline's floor.
    """
    reads = sorted((read_pack(text, where) for where, text in texts), key=lambda each: each[0].id)
    packs = tuple(pack for pack, _ in reads)
    for pack, fault in _faults(packs):
        top = next(table for each, table in reads if each is pack)
        top.fail_at(fault.path, fault.why, do=fault.do)
    return packs


def effective(packs: Iterable[Pack]) -> tuple[Pack, ...]:
    """The packs as they apply: each with its overlays laid over it, which are then listed as its `layers`.

    Refuses what ``parse_packs`` refuses of a set, naming the pack instead of a file.
    """
    chosen = tuple(sorted(packs, key=lambda each: each.id))
    for pack, fault in _faults(chosen):
        raise MalformedError(
            "bad-pack", f"{pack.id}: {place_name(fault.path)} is not right.", why=fault.why, do=fault.do
        )
    return tuple(_topmost(base, chosen) for base in chosen if base.kind != "overlay")


def _topmost(base: Pack, packs: Iterable[Pack]) -> Pack:
    for overlay in overlays_of(packs, base.id):
        base = laid_over(base, overlay)
    return base


def _faults(packs: Sequence[Pack]) -> Iterator[_Found]:
    """Everything that is wrong with the set, in the order in which to mend it."""
    yield from _names_twice(packs)
    yield from _lost_overlays(packs)
    yield from _flags_twice(packs)
    floors = [each.floor for each in packs if each.floor]
    for pack in packs:
        if floors:
            yield from ((pack, fault) for fault in below_floor(pack, floors[0]))
        if pack.kind != "overlay":
            yield from _widening(pack, packs)


def _names_twice(packs: Sequence[Pack]) -> Iterator[_Found]:
    seen: set[str] = set()
    baseline = ""
    for pack in packs:
        if pack.id in seen:
            why = f"Two packs call themselves {pack.id}."
            yield pack, Fault(("pack", "id"), why, "Give one of them another id, or leave one of them out.")
        if pack.kind == "baseline" and baseline:
            why = f"There are two baselines, {baseline} and {pack.id}."
            yield pack, Fault(("pack", "kind"), why, "Keep one. To be stricter, write an overlay.")
        baseline = pack.id if pack.kind == "baseline" else baseline
        seen.add(pack.id)


def _lost_overlays(packs: Sequence[Pack]) -> Iterator[_Found]:
    parents = {each.id: each.overlays for each in packs}
    for pack in packs:
        chain, parent = [pack.id], pack.overlays
        while parent in parents and parent not in chain:
            chain.append(parent)
            parent = parents[parent]
        if parent in chain:
            why = f"Cyclic parent: {' overlays '.join([*chain, parent])}."
            yield pack, Fault(("pack", "overlays"), why, "Let one of them overlay a pack that is no overlay.")
        elif parent and len(chain) == 1:
            why = f"There is no pack {parent[:60]!r} in this set."
            yield pack, Fault(("pack", "overlays"), why, "Add that pack, or correct the id.")


def _flags_twice(packs: Sequence[Pack]) -> Iterator[_Found]:
    owners: dict[str, str] = {}
    for pack in packs:
        for n, flag in enumerate(pack.flags, 1):
            if flag.id in owners:
                why = f"The flag {flag.id} already stands in {owners[flag.id]}."
                yield pack, Fault(("flag", n, "id"), why, "Give it another id; both will be asked.")
            owners[flag.id] = pack.id


def _widening(base: Pack, packs: Sequence[Pack]) -> Iterator[_Found]:
    """What is wrong with the overlays of one pack. They are laid over one by one, and each result is compared."""
    below = base
    for overlay in overlays_of(packs, base.id):
        above = laid_over(below, overlay)
        found = (*misfits(base, overlay), *clashes(below, overlay), *not_tighter(below, above))
        yield from ((overlay, fault) for fault in found)
        below = above
