"""Commands at the wrong moment, by the wrong person, in a damaged installation, or mistyped: refused, nothing lost."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from journeys.counter import (
    BROKEN,
    CONFLICT,
    EXAMPLES,
    FAMILY,
    GOOD_FACTS,
    MALFORMED,
    REFUSED,
    UNAVAILABLE,
    USAGE,
    as_person,
    found_words,
    give_stores,
    here,
    says,
    whole,
)
from journeys.typed import called, settings
from office import Office

pytestmark = pytest.mark.slow


def test_cases_and_targets_that_do_not_exist(office: Office) -> None:
    """An unknown id, three characters of one, an empty one and an unknown target are refused with where to look."""
    case = office.assessed_case()
    for name in ("0123456789abcdef", case[:3], "", "%", "zzzz"):
        says(called("show", name, environment=here(office)), REFUSED, "dueprocess cases")
    says(called("narrow", case, "t9", environment=here(office)), REFUSED, "t1")
    says(called("propose", case, "all", environment=as_person(office, "boris")), REFUSED, "t1")
    assert called("show", case[:4], environment=here(office)).code == 0
    whole(office)


def test_a_scope_only_shrinks(office: Office) -> None:
    """Content, an earlier start, a later end and an unknown category are refused; the permitted scope is taken."""
    case = office.assessed_case()
    wider = [
        (["--category", "content"], REFUSED),
        (["--since", "2001-01-01T00:00:00Z"], REFUSED),
        (["--until", "2099-01-01T00:00:00Z"], REFUSED),
        (["--category", "opinions"], MALFORMED),
        (["--since", "yesterday"], MALFORMED),
        (["--since", "2026-08-30T00:00:00Z", "--until", "2026-08-29T00:00:00Z"], MALFORMED),
    ]
    for words, code in wider:
        says(called("narrow", case, "t1", *words, environment=here(office)), code)
    assert called("narrow", case, "t1", environment=here(office)).code == 0
    whole(office)


def test_nobody_decides_alone(office: Office) -> None:
    """The proposer, whoever made the call-back, a stranger and a person without the role cannot approve."""
    case = office.assessed_case()
    called("narrow", case, "t1", environment=here(office))
    says(called("approve", case, "t1", environment=as_person(office, "chi")), REFUSED, "propose")
    says(called("propose", case, "t1", environment=here(office)), REFUSED, "--key")
    assert called("propose", case, "t1", environment=as_person(office, "boris")).code == 0
    for name in ("boris", "ana", "dana"):
        says(called("approve", case, "t1", environment=as_person(office, name)), REFUSED)
    says(called("approve", case, "t1", "--role", "king", environment=as_person(office, "chi")), REFUSED)
    assert called("approve", case, "t1", environment=as_person(office, "chi")).code == 0
    whole(office)


KEYS: dict[str, tuple[bytes | None, int]] = {
    "missing": (None, UNAVAILABLE),
    "empty": (b"", MALFORMED),
    "not JSON": (b"-----BEGIN PRIVATE KEY-----", MALFORMED),
    "another object": (b'{"kty":"OKP"}', MALFORMED),
    "a list": (b"[]", MALFORMED),
    "a number": (b"7", MALFORMED),
    "a short key": (b'{"ed25519":"AAAA","person":"boris","v":1}', MALFORMED),
    "a key that is no text": (b'{"ed25519":7,"person":"boris","v":1}', MALFORMED),
    "not UTF-8": (b"\xff\xfe", MALFORMED),
}


@pytest.mark.parametrize("name", KEYS)
def test_a_wrong_key_file_signs_nothing(office: Office, tmp_path: Path, name: str) -> None:
    """Each is said to be no key file; the person's own key then works."""
    content, code = KEYS[name]
    path = tmp_path / "key.json"
    if content is not None:
        path.write_bytes(content)
    case = office.assessed_case()
    called("narrow", case, "t1", environment=here(office))
    says(called("propose", case, "t1", "--key", path, environment=here(office)), code)
    assert called("propose", case, "t1", environment=as_person(office, "boris")).code == 0
    whole(office)


@pytest.mark.stage("ready")
def test_the_steps_cannot_be_taken_in_another_order(office: Office, tmp_path: Path) -> None:
    """Delivering before producing, producing what is not sealed, and closing what is open are refused."""
    give_stores(office)
    case = office.cases[0]
    says(
        called("deliver", case, "t1", "--to", tmp_path / "p.age", environment=here(office)),
        REFUSED,
        "dueprocess produce",
    )
    says(called("close", case, environment=here(office)), REFUSED)
    fresh = office.approved_case()
    says(called("produce", fresh, "t1", environment=here(office)), REFUSED)
    assert not (tmp_path / "p.age").exists()
    assert called("produce", case, "t1", environment=here(office)).code == 0
    whole(office)


@pytest.mark.stage("produced")
def test_a_delivery_never_replaces_a_file(office: Office, tmp_path: Path) -> None:
    """An existing file, a folder and a missing folder are refused before anything is begun; then it is delivered."""
    case, taken = office.cases[0], tmp_path / "taken"
    taken.write_text("somebody's thesis")
    says(called("deliver", case, "t1", "--to", taken, environment=here(office)), CONFLICT, "is not replaced")
    assert taken.read_text() == "somebody's thesis"
    says(called("deliver", case, "t1", "--to", tmp_path, environment=here(office)), REFUSED, "folder")
    says(called("deliver", case, "t1", "--to", tmp_path / "no" / "p", environment=here(office)), UNAVAILABLE)
    says(called("deliver", case, "t1", environment=here(office)), REFUSED, "--to FILE")
    says(called("deliver", case, "t1", "--confirm", "arrived", environment=here(office)), REFUSED)
    assert called("deliver", case, "t1", "--to", tmp_path / "p.age", environment=here(office)).code == 0
    whole(office)


def test_init_never_touches_an_installation(office: Office) -> None:
    """Not one file of an existing installation changes."""
    before = {
        each: each.stat().st_mtime_ns for each in office.root.rglob("*") if each.suffix in (".toml", ".json")
    }
    said = called(*found_words(office.root, "--datamap", "synapse"), environment=settings(None))
    says(said, CONFLICT, "nothing was changed")
    now = {
        each: each.stat().st_mtime_ns for each in office.root.rglob("*") if each.suffix in (".toml", ".json")
    }
    assert now == before
    whole(office)


INITS: dict[str, tuple[list[str], int]] = {
    "one founder twice": (["--founder", "boris", "--founder", "boris"], REFUSED),
    "one founder": (["--founder", "boris"], REFUSED),
    "a founder who is a path": (["--founder", "../boris", "--founder", "chi"], MALFORMED),
    "an origin that is an address": (["--origin", "https://chat.example"], MALFORMED),
    "no such map": (["--datamap", "nothing"], REFUSED),
    "another database": (["--database", "mysql://db"], MALFORMED),
    "an epoch of a second": (["--epoch-seconds", "1"], MALFORMED),
}


@pytest.mark.parametrize("name", INITS)
def test_a_wrong_init_can_be_done_right(tmp_path: Path, name: str) -> None:
    """The refusal says what to do, and the corrected command works in the same folder."""
    words, code = INITS[name]
    folder = tmp_path / "install"
    given = found_words(folder, *words)
    if "--origin" in words:
        given[given.index("--origin") : given.index("--origin") + 2] = []
    says(called(*given, environment=settings(None)), code)
    assert not (tmp_path / "boris.json").exists()
    said = called(*found_words(folder), environment=settings(None))
    assert said.code == 0, said
    assert called("fsck", environment=settings(folder)).code == 0


def _damage(name: str, content: str | None) -> Callable[[Office], Path]:
    def act(office: Office) -> Path:
        path = office.root / name
        if content is None:
            path.unlink()
        else:
            path.write_text(content)
        return path

    return act


DAMAGES: dict[str, tuple[Callable[[Office], Path], int]] = {
    "settings that are no TOML": (_damage("dueprocess.toml", "origin: chat"), MALFORMED),
    "settings with nothing in them": (_damage("dueprocess.toml", ""), MALFORMED),
    "no settings": (_damage("dueprocess.toml", None), UNAVAILABLE),
    "no pins": (_damage("worker/pins.json", None), UNAVAILABLE),
    "pins that are no JSON": (_damage("worker/pins.json", "{"), MALFORMED),
    "pins of another shape": (_damage("worker/pins.json", "{}"), MALFORMED),
    "no key store": (_damage("keys/kek", None), UNAVAILABLE),
    "a key that is none": (_damage("keys/kek", "abc"), MALFORMED),
    "no clock": (_damage("clock", None), UNAVAILABLE),
    "a clock that says nothing": (_damage("clock", ""), MALFORMED),
    "a clock that says tea time": (_damage("clock", "tea time"), MALFORMED),
    "no data map": (_damage("datamaps/platform.toml", None), UNAVAILABLE),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_installation_says_what_is_wrong(office: Office, name: str) -> None:
    """Every command says so; with the file restored everything fits."""
    act, code = DAMAGES[name]
    kept = {
        each: each.read_bytes()
        for each in office.root.rglob("*")
        if each.suffix in (".toml", ".json", "") and each.is_file()
    }
    path = act(office)
    for words in (["next"], ["fsck"], ["worker", "--once", "--json"]):
        said = called(*words, environment=here(office))
        assert said.code == code, said
        assert "Traceback" not in said.err
        assert said.err.startswith(FAMILY[code]), said
    path.write_bytes(kept[path])
    whole(office)


def test_an_event_store_that_is_down_is_unavailable(office: Office) -> None:
    """With PostgreSQL not running every command exits with 6; nothing is written anywhere."""
    file = office.root / "dueprocess.toml"
    kept = file.read_text()
    file.write_text(
        re.sub(
            '^database = "[^"]*"',
            'database = "postgresql://postgres@127.0.0.1:1/gone"',
            kept,
            flags=re.MULTILINE,
        )
    )
    for words in (
        ["cases"],
        ["receive", str(EXAMPLES / "mail" / "order.eml")],
        ["worker", "--once"],
        ["fsck"],
    ):
        says(called(*words, environment=here(office)), UNAVAILABLE, "event store")
    file.write_text(kept)
    whole(office)


USAGES: list[tuple[list[str], str]] = [
    (["recieve", "x"], "did you mean receive?"),
    (["search", "--all-users"], "there is no command 'search'"),
    (["receive"], "--file"),
    (["receive", "a", "--chanel", "mail"], "--chanel"),
    (["cases", "--stage", "lost"], "Choose from"),
    (["cases", "--person", "eva"], "--person"),
    (["worker", "--twice"], "--twice"),
    (["enrol", "everyone"], "everyone"),
    (["triage"], "--file"),
    (["verify", "a", "b", "c", "d"], "verify --help"),
]


@pytest.mark.parametrize(("words", "hint"), USAGES)
def test_a_slip_of_the_fingers_is_a_usage_error(words: list[str], hint: str) -> None:
    """Exit code 2 and one line that helps."""
    said = called(*words, environment=settings(None))
    assert said.code == USAGE, said
    assert said.out == ""
    assert hint in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_days_and_periods_that_are_none(office: Office) -> None:
    """A day or a half-year that is none is malformed, with the form to write it in."""
    facts = office.root.parent / "facts.toml"
    facts.write_text(GOOD_FACTS)
    for day in ("tomorrow", "2026-13-01", ""):
        says(
            called("assess", "--facts", facts, "--on", day, environment=settings(None)),
            MALFORMED,
            "2026-11-22",
        )
    says(called("assess", "--facts", facts, environment=settings(None)), REFUSED, "--on")
    for period in ("2026", "2026H3", "../../x"):
        says(called("report", period, environment=here(office)), MALFORMED, "2026H2")


def test_lost_integrity_has_an_exit_code_of_its_own(office: Office) -> None:
    """A changed byte in each file of a case: fsck exits with 7, names it, and says to stop; --json is one value."""
    office.receive()
    kept = {each: each.read_bytes() for each in (office.root / "vault").rglob("*") if each.is_file()}
    for path, data in kept.items():
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    said = called("fsck", environment=here(office))
    says(said, BROKEN, "Stop")
    assert "FAULT vault" in said.out
    found = called("fsck", "--json", environment=here(office))
    assert found.code == BROKEN
    assert found.value["faults"]
    assert found.value["error"]["family"] == "broken"
    for path, data in kept.items():
        path.write_bytes(data)
    whole(office)
