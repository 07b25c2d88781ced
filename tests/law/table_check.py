"""A second reading of packs and worked cases: plain TOML in, outcome, reach and codes out.

It shares no code with the engine, so that the two can only agree by both being right. It knows no texts, clocks or
letters: only what decides.

Source: law.md 1.2 (lattice).
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

LEAVES = (
    "subscriber.identity", "subscriber.service", "subscriber.payment", "subscriber.number", "session.times",
    "traffic", "location", "content.messages", "content.files", "content.profile", "secrets",
)  # fmt: skip
LADDER = ("refuse", "needs_more_information", "escalate_to_counsel", "permit_subset", "permit_all")
BUILT_IN = ("identifies", "country", "issuer_kind", "validated_by")
UNDATED = {"subscriber.identity", "subscriber.service", "subscriber.payment"}

type Raw = dict[str, Any]
type Hits = list[tuple[str, str]]
"""Codes of what blocks or limits, each with the highest outcome that it leaves."""


def leaves(names: Iterable[str]) -> set[str]:
    """The leaves below these names."""
    return {leaf for leaf in LEAVES for name in names if leaf == name or leaf.startswith(name + ".")}


class Reading:
    """One pack, the baseline, one case's facts and a day."""

    def __init__(self, pack: Raw, baseline: Raw | None, facts: Raw, on: dt.date) -> None:
        self.facts, self.on = facts, on
        self.floor = baseline or {}
        own = pack if pack["pack"].get("kind", "regime") == "regime" else {}
        self.pack, self.known = self._law(own)

    def _law(self, own: Raw) -> tuple[Raw, Raw | None]:
        code = self.facts["instrument"]
        for law in (own, self.floor):
            for each in law.get("instrument", []):
                if each["code"] == code and self.holds(each):
                    return law, each
        return own, None

    def holds(self, entry: Raw) -> bool:
        return bool(entry["from"] <= self.on and ("until" not in entry or self.on < entry["until"]))

    def law(self, rule: str) -> bool:
        """Whether a rule of this name is in force."""
        return any(each["id"] == rule and self.holds(each) for each in self.pack.get("rule", []))

    def hit(self, rule: str, code: str, most: str) -> tuple[str, str]:
        """A code resting on a rule; without a rule in force nobody knows."""
        return (code, most) if self.law(rule) else (f"not-in-force.{rule}", "escalate_to_counsel")

    def state(self, condition: Raw) -> str:
        fact = condition["fact"]
        if fact == "emergency":
            found: object = self.facts.get("emergency", False)
        elif fact in BUILT_IN:
            found = self.facts.get(fact)
        else:
            found = self.facts.get("answers", {}).get(fact)
        if found is None:
            return "unknown"
        wanted = [(type(each), each) for each in condition["is"]]
        return "met" if (type(found), found) in wanted else "unmet"

    def failed(self, conditions: Iterable[Raw], most: str) -> Hits:
        states = ((each, self.state(each)) for each in conditions)
        return [
            self.hit(each["rule"], f"{state}.{each['fact']}", most)
            for each, state in states
            if state != "met"
        ]

    # ---------------------------------------------------------------- the paper as a whole

    def standing(self) -> Hits:
        paper, facts = self._paper(), self.facts
        found: Hits = []
        if facts["kind"] != paper["demand_kind"]:
            holds = paper["demand_kind"] == "preservation" and facts["kind"] == "disclosure"
            found.append(("note.wrong-kind", "refuse" if holds else "escalate_to_counsel"))
        if facts.get("issuer_kind") not in paper["issuers"]:
            code = "missing.right-issuer" if facts.get("issuer_kind") else "missing.issuer-kind"
            found.append(self.hit(paper["issuers_rule"], code, "needs_more_information"))
        return found + self.failed(paper.get("conditions", []), "needs_more_information")

    def form(self) -> Hits:
        paper, facts = self._paper(), self.facts
        carried = set(facts.get("elements", []))
        carried |= {"date"} & {"date" if "issued_on" in facts else ""}
        carried |= {"legal_basis"} & {"legal_basis" if facts.get("legal_bases") else ""}
        lacking = [
            self.hit(each["rule"], f"missing.{each['code']}", "needs_more_information")
            for each in paper.get("element", [])
            if each["code"] not in carried and self._asked(each)
        ]
        unread = [("missing.legible", "needs_more_information")] if facts.get("unreadable") else []
        hot = facts.get("emergency", False) or paper.get("emergency", False)
        return lacking + unread + ([("emergency.not-producible", "escalate_to_counsel")] if hot else [])

    def _asked(self, element: Raw) -> bool:
        wanted = leaves(element.get("categories", []))
        possible = all(self.state(each) != "unmet" for each in element.get("when", []))
        return possible and (not wanted or bool(wanted & self.demanded()))

    def demanded(self) -> set[str]:
        return set().union(*(leaves(each["categories"]) for each in self.facts.get("target", [])))

    def dangling(self) -> Hits:
        """Clocks, notes and the notice rule that are not in force."""
        paper = self._paper()
        rules = [*paper.get("notes", []), *(each["rule"] for each in self._objections())]
        gone = [each for each in rules if not self.law(each)]
        clocks = self.pack.get("clock", [])
        gone += [
            c
            for c in paper.get("clocks", [])
            if not any(each["id"] == c and self.holds(each) for each in clocks)
        ]
        return [(f"not-in-force.{each}", "escalate_to_counsel") for each in gone]

    def _objections(self) -> Iterator[Raw]:
        for each in self._paper().get("objection", []):
            wanted = leaves(each.get("categories", []))
            if not wanted or wanted & self.demanded():
                yield each

    def _paper(self) -> Raw:
        assert self.known is not None
        return self.known

    def silence(self) -> Hits:
        order, paper = self.facts.get("nondisclosure"), self._paper()
        if order is None:
            rule = paper["notice"]["rule"]
            return [] if self.law(rule) else [(f"not-in-force.{rule}", "escalate_to_counsel")]
        law = next(
            (e for e in self.pack.get("nondisclosure", []) if self.holds(e) and _named(order["basis"], e)),
            None,
        )
        if law is None or law["id"] not in paper.get("nondisclosure", []):
            code = "unknown-basis" if law is None else "other-instrument"
            return [(f"nondisclosure.{code}", "escalate_to_counsel")]
        midnight = dt.datetime.combine(self.on, dt.time(), dt.UTC)
        if ("until" in order and order["until"] <= midnight) or order.get("certified") is True:
            return []
        code = "not-certified" if order.get("certified") is False else "unchecked"
        return [(f"nondisclosure.{code}", "escalate_to_counsel")]

    # ------------------------------------------------------------------------- target by target

    def opens(self, reach: Raw, target: Raw) -> Hits | None:
        """None: the rule is not in force. Else what keeps this entry from reaching; empty: it reaches."""
        if not self.law(reach["rule"]):
            return None
        failed: Hits = []
        if reach.get("purpose") and not (
            target.get("purpose") == reach["purpose"] and self.facts.get("identifies") is True
        ):
            failed.append(("missing.purpose", "permit_subset"))
        by = reach.get("by", [])
        if by and not {self.facts.get("issuer_kind"), self.facts.get("validated_by")} & set(by):
            failed.append(self.hit(reach["by_rule"], "missing.validation", "permit_subset"))
        return failed + self.failed(reach.get("needs", []), "permit_subset")

    def reached(self, target: Raw) -> set[str]:
        found: set[str] = set()
        for each in self._paper().get("reach", []):
            if self.opens(each, target) == []:
                found |= leaves(each["categories"])
        return (found & leaves(target["categories"])) - {"secrets"}

    def coverable(self) -> set[str]:
        """What some entry in force might reach, whatever the facts."""
        reaches = self._paper().get("reach", [])
        return set().union(*(leaves(each["categories"]) for each in reaches if self.law(each["rule"]))) - {
            "secrets"
        }

    def window(self, target: Raw, left: set[str]) -> tuple[bool, Hits]:
        """Whether anything of the window lies before the receipt, and what is cut of it."""
        received, until = self.facts["received_at"], target.get("until")
        if self.facts["kind"] == "removal":
            return True, []
        if until is not None and until <= received:
            return True, self._start(target, left)
        rule = self._paper()["window_rule"]
        if "from" in target and target["from"] >= received:
            return False, [self.hit(rule, "cut.only-future", "permit_subset")]
        cut = [] if left <= UNDATED else [self.hit(rule, "cut.after-receipt", "permit_subset")]
        return True, cut + self._start(target, left)

    def _start(self, target: Raw, left: set[str]) -> Hits:
        return [] if "from" in target or left <= UNDATED else [("missing.start", "permit_subset")]

    def cuts(self, target: Raw, left: set[str]) -> Hits:
        gone, found = leaves(target["categories"]) - left, list[tuple[str, str]]()
        for never in self._paper().get("never", []):
            hit = gone & leaves(never["categories"])
            if hit:
                found.append(self.hit(never["rules"][0], never["rules"][0], "permit_subset"))
        told = set().union(*(leaves(never["categories"]) for never in self._paper().get("never", [])))
        return found + self._conditional(target, gone - told)

    def _conditional(self, target: Raw, silent: set[str]) -> Hits:
        found: Hits = []
        rest = set(silent)
        for each in self._paper().get("reach", []):
            wanted = silent & leaves(each["categories"])
            failed = self.opens(each, target)
            if not wanted or failed == []:
                continue
            named = [one for one in failed or [] if one[0]]
            found += [(f"not-in-force.{each['rule']}", "escalate_to_counsel")] if failed is None else named
            rest -= wanted if failed is None or named else set()
        return [*found, ("cut.not-reached", "permit_subset")] if rest else found

    # ----------------------------------------------------------------------------------- the answer

    def flags(self) -> Hits:
        known = {
            each["id"]: each["ceiling"] for each in [*self.floor.get("flag", []), *self.pack.get("flag", [])]
        }
        flags = self.facts.get("flags", [])
        return [
            (f"flag.{f}", known[f]) if f in known else ("flag.unknown", "escalate_to_counsel") for f in flags
        ]

    def answer(self) -> tuple[str, list[set[str]], set[str]]:
        """Outcome, categories within reach for each target, and the codes of all that blocks or limits."""
        targets = self.facts.get("target", [])
        nothing: list[set[str]] = [set() for _ in targets]
        if self.facts.get("issuer_kind") == "private_party":
            return "escalate_to_counsel", nothing, {"own-path"}
        if self.known is None:
            return "escalate_to_counsel", nothing, {self._unknown()}
        permitted, hits = self._targets(targets)
        barred = self.standing()
        hits += [*barred, *self.form(), *self.silence(), *self.dangling(), *self.flags(), *self._ceiling()]
        outcome = min((most for _, most in hits), key=LADDER.index, default="permit_all")
        return (
            outcome,
            nothing if barred else permitted,
            {code for code, most in hits if most != "permit_all"},
        )

    def _unknown(self) -> str:
        code = self.facts["instrument"]
        laws = (self.pack, self.floor)
        if any(each["code"] == code for law in laws for each in law.get("instrument", [])):
            return "not-in-force"
        return "unknown-instrument" if self.pack else "no-pack"

    def _ceiling(self) -> Hits:
        paper = self._paper()
        most = paper.get("ceiling", "permit_all")
        return (
            []
            if most == "permit_all"
            else [self.hit(paper["ceiling_rule"], f"ceiling.{paper['code']}", most)]
        )

    def _targets(self, targets: list[Raw]) -> tuple[list[set[str]], Hits]:
        if "reverse" in self.facts:
            if self.facts["reverse"] not in self._paper().get("reverse", []):
                return [], [("reverse.other-paper", "escalate_to_counsel")]
            bounded = self._paper().get("ceiling", "permit_all") in LADDER[:3]
            return [], [] if bounded else [("reverse.never", "escalate_to_counsel")]
        if self._paper().get("reverse"):
            return [set() for _ in targets], [("reverse.with-targets", "escalate_to_counsel")]
        permitted: list[set[str]] = []
        hits: Hits = []
        for target in targets:
            left = self.reached(target)
            hits += self.cuts(target, left)
            some, trimmed = self.window(target, left) if left else (True, [])
            hits += trimmed
            permitted.append(left if some else set())
        unknown = any(most == "escalate_to_counsel" for _, most in hits)
        if not any(permitted) and not unknown:
            maybe = bool(self.coverable() & self.demanded())
            hits.append(
                ("cut.until-answered", "needs_more_information") if maybe else ("cut.everything", "refuse")
            )
        return permitted, hits


def _named(basis: str, law: Raw) -> bool:
    return _letters(basis) in map(_letters, law["names"])


def _letters(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalnum())
