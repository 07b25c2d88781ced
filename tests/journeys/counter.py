"""What the journeys with bad input share: who types where, how an error must look, and that nothing was lost."""

import re
from pathlib import Path

from journeys.typed import Said, called, settings
from office import EVA, Office

REFUSED, MALFORMED, CONFLICT, UNAVAILABLE, BROKEN, USAGE, INTERRUPTED = 3, 4, 5, 6, 7, 2, 130
FAMILY = {
    REFUSED: "Refused",
    MALFORMED: "Malformed",
    CONFLICT: "Conflict",
    UNAVAILABLE: "Unavailable",
    BROKEN: "Broken",
}

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NSL = EXAMPLES / "nsl" / "apple__NSL-17-428677.pdf"

GOOD_FACTS = f"""\
kind = "disclosure"
regime = "us"
instrument = "d_order"
country = "US"
issuer_kind = "court"
legal_bases = ["18 USC 2703(d)"]
elements = ["signature", "issuer", "date", "identifier", "reasonable_grounds"]
issued_on = 2026-08-31
identifies = false

[[target]]
kind = "account"
value = "{EVA}"
categories = ["subscriber", "session", "traffic", "content"]
from = 2026-08-12T00:00:00Z
until = 2026-09-01T00:00:00Z
"""
TARGET = GOOD_FACTS[GOOD_FACTS.index("[[target]]") :]


def here(office: Office, **more: str) -> dict[str, str]:
    """The environment of somebody who works in this office."""
    return settings(office.root, **more)


def as_person(office: Office, name: str) -> dict[str, str]:
    return here(office, DUEPROCESS_KEY=str(office.root.parent / "people" / f"{name}.json"))


def says(said: Said, code: int, *words: str) -> None:
    """The command failed in this family, with what and what to do, and without a traceback."""
    assert said.code == code, said
    assert "Traceback" not in said.err, said
    if code in FAMILY:
        assert re.search(f"^{FAMILY[code]}: ", said.err, flags=re.MULTILINE), said
        assert "What to do: " in said.err, said
    for word in words:
        assert word in said.err, said


def whole(office: Office) -> None:
    """Nothing was lost: `dueprocess fsck` reads everything again, and everything fits."""
    said = called("fsck", environment=here(office))
    assert said.code == 0, said
    assert said.out.startswith("Everything fits: ")


def cases(office: Office) -> list[str]:
    return [each["case"] for each in called("cases", "--json", environment=here(office)).value]


def give_stores(office: Office) -> None:
    text = "".join(f"{name}={value}\n" for name, value in office.environment.items())
    (office.root / "worker" / "stores.env").write_text(text)


def found_words(folder: Path, *more: str | Path) -> list[str | Path]:
    words: list[str | Path] = [
        "init", folder, "--origin", "chat.example/dueprocess/1", "--regime", "us", "--operator", "Chat Example",
        "--contact", "legal@chat.example", "--country", "US",
    ]  # fmt: skip
    founders = [] if "--founder" in more else ["--founder", "boris", "--founder", "chi"]
    return [*words, *founders, *more]
