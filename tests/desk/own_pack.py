"""A small law of a State that does not exist, for tests to put in force, make stricter and replace."""

from pathlib import Path

from dueprocess.law import parse_pack
from dueprocess.library.packs import PackFile, shipped_file

_RULE = 'source = "act"\nsection = "1"\nbasis = "statute"\nfrom = 2020-01-01\n'
_HEAD = """
[pack]
id = "{id}"
version = "2026.11.22"
jurisdiction = "Exland"
title = "{title}"
status = "This pack is not legal advice."
reviewed_by = ""
"""
_SOURCE = """
[[source]]
key = "act"
short = "Exland Act"
title = "An Act of Exland"
address = "https://law.example/act"
version = "2020"
read_on = 2026-08-01
"""

OWN = (
    _HEAD.format(id="xx.own", title="Act of Exland")
    + 'countries = ["XX"]\nzone = "Europe/Berlin"\nholidays = "DE"\n'
    + _SOURCE
    + f"""
[[question]]
id = "serious"
text = "Does the paper name a serious offence?"
about = "paper"

[[rule]]
id = "yes"
text = "An order reaches this."
{_RULE}
[[rule]]
id = "no"
text = "An order does not reach this."
do = "Cut it."
{_RULE}
[[rule]]
id = "serious-only"
text = "Sessions only for a serious offence."
do = "Ask which offence it is."
{_RULE}
[[clock]]
id = "xx.answer"
starts = "received"
working_days = 10
counting = "after_day"
text = "Ten working days to answer."
{_RULE}
[[instrument]]
code = "order"
name = "Order of Exland"
text = "An order."
demand_kind = "disclosure"
compulsion = "compulsory"
issuers = ["court"]
issuers_rule = "yes"
window_rule = "yes"
notice = {{ word = "allowed_before_production", rule = "yes" }}
clocks = ["xx.answer"]
report_cells = ["xx.order"]
reach = [
  {{ categories = ["subscriber"], rule = "yes" }},
  {{ categories = ["session"], rule = "yes", needs = [{{ fact = "serious", is = [true], rule = "serious-only" }}] }},
]
never = [{{ categories = ["traffic", "location", "content", "secrets"], rules = ["no"] }}]
element = [
  {{ code = "issuer", meaning = "the court", rule = "yes" }},
  {{ code = "date", meaning = "its date", rule = "yes" }},
  {{ code = "identifier", meaning = "the account", rule = "yes" }},
]
{_RULE}"""
)

STRICT = (
    _HEAD.format(id="xx.strict", title="House rules for Exland")
    + 'kind = "overlay"\noverlays = "xx.own"\n'
    + _SOURCE
    + f"""
[[rule]]
id = "house"
text = "We do not hand out payment data."
do = "Cut it."
{_RULE}
[[tighten]]
instruments = ["order"]
never = [{{ categories = ["subscriber.payment"], rules = ["house"] }}]
"""
)

COMPLETE = frozenset({"issuer", "date", "identifier"})


def file_of(text: str, name: str = "own.toml") -> PackFile:
    """A pack as if it had been read from a file."""
    return PackFile(name, text, parse_pack(text, name))


def written(folder: Path, text: str, name: str = "own.toml") -> Path:
    """The pack as a file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def sca(*changes: tuple[str, str]) -> str:
    """The text of the shipped us.sca with these pieces replaced; each must be there."""
    text = shipped_file("us.sca").text
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


VERSION = 'version = "2026.11.22"'
