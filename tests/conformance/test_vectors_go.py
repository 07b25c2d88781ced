"""A second program, in another language and written from the specifications alone, agrees on every vector.

Needs Debian's golang-go and golang-golang-x-mod-dev. Where they are missing this fails: a conformance test that
cannot run has failed. Go 1.19 has no ML-DSA: Go computes the signed message and everything around it, and
dilithium-py, a third author's code, checks the signature.
"""

import copy
import json
import os
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dilithium_py.ml_dsa import ML_DSA_44

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    parse_leaf,
    parse_note,
    parse_opening,
    parse_policy,
    parse_proof,
    parse_vkey,
    verify_opening,
    verify_receipt,
)
from dueprocess.wire import b64, canonical, sha256_hex

pytestmark = pytest.mark.conformance

SOURCE = Path(__file__).parent / "go" / "vectors"
SPECS = Path(__file__).parents[2] / "specs"
FILES = {name: SPECS / name / "vectors.json" for name in ("tlog", "promise", "audit")}
ALL: dict[str, dict[str, Any]] = {name: json.loads(path.read_bytes()) for name, path in FILES.items()}
VECTORS = ALL["tlog"]
GOPATH = Path("/usr/share/gocode")
SEPARATOR = " > "
FINE = {"ok", "input", "handed out"}

type Place = tuple[str | int, ...]

OBJECTS: dict[str, Place] = {
    "receipt": (),
    "record": ("records", 0),
    "opening": ("records", 0, "opening"),
    "opened": ("records", 0, "opening", "opened"),
    "field": ("records", 0, "opening", "opened", "kind"),
    "subject": ("records", 0, "subject"),
}
"""Where members are dropped from a receipt and added to it."""


def leaves_of(value: object, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Every value of a JSON tree that holds no others, with the way to it."""
    if isinstance(value, dict) and value:
        for name, below in value.items():
            yield from leaves_of(below, (*place, name))
    elif isinstance(value, list) and value:
        for number, below in enumerate(value):
            yield from leaves_of(below, (*place, number))
    else:
        yield place, value


def changed(value: object) -> Any:
    """The same kind of value with one character, bit or unit changed."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and value:
        middle = len(value) // 2
        other = "1" if value[middle] != "1" else "2"
        return value[:middle] + other + value[middle + 1 :]
    return "something"


def with_change(tree: Any, place: Place, value: object) -> Any:
    """A copy of the tree with another value at a place."""
    made = copy.deepcopy(tree)
    inner = made
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return made


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Go program, built from its source."""
    go = shutil.which("go")
    if go is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.fail("Install the Debian packages golang-go and golang-golang-x-mod-dev.")
    work = tmp_path_factory.mktemp("go")
    shutil.copytree(SOURCE, work / "src" / "vectors")
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": f"{work}:{GOPATH}", "GOFLAGS": ""}
    if "HOME" not in environment:
        environment.setdefault("GOCACHE", str(work / "cache"))
    done = subprocess.run(
        [go, "build", "-o", str(work / "vectors"), "."],
        cwd=work / "src" / "vectors",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return work / "vectors"


def computed(program: Path, *files: Path) -> list[Any]:
    done = subprocess.run([str(program), *map(str, files)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def answers(program: Path) -> dict[str, Any]:
    """What Go makes of the vectors as they are committed, by file."""
    return dict(zip(FILES, computed(program, *FILES.values()), strict=True))


@pytest.fixture(scope="module")
def answer(answers: dict[str, Any]) -> Any:
    """What Go makes of the vectors of specs/tlog."""
    return answers["tlog"]


def test_every_file_of_vectors_is_computed() -> None:
    """A further file of vectors in specs/ fails here until Go computes it."""
    assert {path.parent.name for path in SPECS.glob("*/vectors.json")} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_go_computes_every_vector(name: str, answers: dict[str, Any]) -> None:
    """No vector differs; the few that are not computed are what a computation starts from."""
    assert answers[name]["errors"] == []
    assert {vector: why for vector, why in answers[name]["vectors"].items() if why not in FINE} == {}
    assert answers[name]["v"] == VECTORS["v"]


@pytest.mark.parametrize("name", FILES)
def test_no_vector_is_left_out(name: str, answers: dict[str, Any]) -> None:
    """A vector that is added to a file without Go code for it fails here."""
    given = {SEPARATOR.join(map(str, place)) for place, _ in leaves_of(ALL[name])}
    assert set(answers[name]["vectors"]) == given


def test_go_hands_out_keys_and_signatures_of_ml_dsa_only(answer: Any) -> None:
    """What Go cannot compute is named, so that it cannot grow unseen; the next test computes it."""
    assert {name for name, why in answer["vectors"].items() if why == "handed out"} == {
        f"keys > {name} > {member}"
        for name, key in VECTORS["keys"].items()
        if key["type"] == 6
        for member in ("seed", "vkey")
    }
    assert len(answer["ml_dsa_44"]) == len(answer["ml_dsa_44_seeds"]) == 2


def computed_by_dilithium(answer: Any) -> bool:
    """Whether the ML-DSA-44 keys come from their seeds, and the signatures from these keys, byte for byte."""
    secrets = {}
    for each in answer["ml_dsa_44_seeds"]:
        public, secrets[each["public"]] = ML_DSA_44.key_derive(bytes.fromhex(each["seed"]))
        if b64(public) != each["public"]:
            return False
    return all(
        each["public"] in secrets
        and ML_DSA_44.verify(
            b64decode(each["public"]), bytes.fromhex(each["message"]), b64decode(each["signature"])
        )
        and b64(ML_DSA_44.sign(secrets[each["public"]], bytes.fromhex(each["message"]), deterministic=True))
        == each["signature"]
        for each in answer["ml_dsa_44"]
    )


def test_ml_dsa_keys_and_signatures_are_computed_by_a_third_program(answer: Any) -> None:
    """Keys from seeds, signatures over the messages that Go builds; one bit changed in a message is noticed."""
    assert computed_by_dilithium(answer)
    bent = copy.deepcopy(answer)
    bent["ml_dsa_44"][0]["message"] = changed(bent["ml_dsa_44"][0]["message"])
    assert not computed_by_dilithium(bent)


def free(vectors: dict[str, Any], place: Place) -> bool:
    """Whether another value in this place leads to the same answer.

    That is so for the very value for which a vector is to be refused, and for what a draw does not take.
    """
    if place[0] == "draws":
        return place[2] in ("name", "count", "numbers")
    if place[0] != "refused":
        return False
    good = json.loads(vectors["receipt"])
    return bool(vectors["refused"][place[1]][place[2]] != good[place[2]])


@pytest.mark.parametrize("name", FILES)
def test_a_change_of_any_one_vector_is_noticed(
    name: str, program: Path, answers: dict[str, Any], tmp_path: Path
) -> None:
    """One character, bit or unit changed anywhere in a file: Go, or the third program, disagrees with it."""
    vectors = ALL[name]
    places = [(place, value) for place, value in leaves_of(vectors) if not free(vectors, place)]
    files = [tmp_path / f"{number}.json" for number in range(len(places))]
    for file, (place, value) in zip(files, places, strict=True):
        file.write_text(json.dumps(with_change(vectors, place, changed(value))))
    asleep = [
        place
        for (place, _), each in zip(places, computed(program, *files), strict=True)
        if not each["errors"]
        and set(each["vectors"].values()) <= FINE
        and not handed_out_differs(each, answers[name])
    ]
    assert asleep == []


def handed_out_differs(one: Any, other: Any) -> bool:
    """Whether Go handed out something else, with which the third program disagrees."""
    handed = [name for name in ("ml_dsa_44", "ml_dsa_44_seeds") if one[name] != other[name]]
    return bool(handed) and not computed_by_dilithium(one)


def healed(receipt: dict[str, Any]) -> str:
    """A receipt with the digest that finds mere damage computed again, so that the other checks must find it."""
    without = {name: value for name, value in receipt.items() if name != "sha256"}
    return canonical({**without, "sha256": sha256_hex(canonical(without))}).decode()


def forged_receipts() -> Iterator[tuple[str, str]]:
    """Each value changed, dropped, of another type; each member dropped and one added; each line of the texts."""
    good = json.loads(VECTORS["receipt"]["receipt"])
    for place, value in leaves_of({name: value for name, value in good.items() if name != "sha256"}):
        name = SEPARATOR.join(map(str, place))
        for kind, other in {"changed": changed(value), "null": None, "number": 1, "text": "x"}.items():
            if other != value or type(other) is not type(value):
                yield f"{name} {kind}", healed(with_change(good, place, other))
        if isinstance(value, str) and "\n" in value:
            lines = value.split("\n")
            for number, line in enumerate(lines):
                for kind, replaced in {
                    "dropped": [],
                    "doubled": [line, line],
                    "bent": [changed(line)],
                }.items():
                    text = "\n".join([*lines[:number], *replaced, *lines[number + 1 :]])
                    yield f"{name} line {number} {kind}", healed(with_change(good, place, text))
    yield from reshaped_receipts(good)


def reshaped_receipts(good: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, place in OBJECTS.items():
        inner: Any = good
        for step in place:
            inner = inner[step]
        yield f"{name} with more", healed(with_change(good, (*place, "more"), None))
        for member in inner:
            made = copy.deepcopy(good)
            target: Any = made
            for step in place:
                target = target[step]
            del target[member]
            yield f"{name} without {member}", canonical(made).decode() if member == "sha256" else healed(made)
    first = good["records"][0]
    yield "no records", healed({**good, "records": []})
    yield "one record twice", healed({**good, "records": [first, first]})
    yield "spaced", json.dumps(good)
    yield "damaged", canonical({**good, "sha256": changed(good["sha256"])}).decode()


def accepted_by_us(receipt: str) -> bool:
    try:
        verify_receipt(receipt.encode(), parse_policy(VECTORS["receipt"]["policy"].encode()))
    except MalformedError:
        return False
    return True


def verdicts(program: Path, receipts: list[str]) -> list[str]:
    """Go's answers: the reason of each refusal, or nothing."""
    asked = "".join(
        json.dumps({"policy": VECTORS["receipt"]["policy"], "receipt": each}) + "\n" for each in receipts
    )
    done = subprocess.run(
        [str(program), "-receipts"], input=asked, capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_go_and_we_refuse_the_same_receipts(program: Path) -> None:
    """Both accept the receipt of the vectors, and the same few of the forged ones: nothing that is proven is forged.

    Those have another label of the case.
    """
    forged = dict(forged_receipts())
    receipts = [VECTORS["receipt"]["receipt"], *forged.values()]
    by_go = [not why for why in verdicts(program, receipts)]
    by_us = [accepted_by_us(each) for each in receipts]
    names = ["good", *forged]
    assert [name for name, go, us in zip(names, by_go, by_us, strict=True) if go != us] == []
    assert len(forged) > 500
    assert {name for name, go in zip(names, by_go, strict=True) if go} == {
        "good",
        "case changed",
        "case null",
    }


READERS: dict[str, Callable[[bytes], object]] = {
    "note": parse_note,
    "vkey": lambda data: parse_vkey(data.decode("utf-8", "surrogateescape")),
    "policy": parse_policy,
    "proof": parse_proof,
    "leaf": parse_leaf,
    "opening": lambda data: verify_opening(parse_opening(data)),
}
"""What both programs read from bytes. No signature is checked here."""


def near(data: bytes) -> Iterator[bytes]:
    """The bytes, and others close to them: cut, a byte changed, dropped or doubled, lines dropped or doubled."""
    yield data
    for at in range(0, len(data), max(1, len(data) // 40)):
        yield data[:at]
        yield data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        yield data[:at] + data[at + 1 :]
        yield data[:at] + data[at : at + 1] + data[at:]
    lines = data.split(b"\n")
    for number, line in enumerate(lines):
        yield b"\n".join([*lines[:number], *lines[number + 1 :]])
        yield b"\n".join([*lines[:number], line, *lines[number:]])


def reads(kind: str, data: bytes) -> bool:
    try:
        READERS[kind](data)
    except MalformedError:
        return False
    return True


@pytest.mark.parametrize("kind", READERS)
def test_go_and_we_read_the_same_documents(kind: str, program: Path) -> None:
    """Of the corpus of fuzz/ and thousands of documents near it, both read the same ones and refuse the others."""
    seeds = [path.read_bytes() for path in sorted((SPECS.parent / "fuzz" / "corpus" / kind).iterdir())]
    documents = list(dict.fromkeys(each for seed in seeds for each in near(seed)))
    asked = "".join(json.dumps({"kind": kind, "content": b64(each)}) + "\n" for each in documents)
    done = subprocess.run([str(program), "-read"], input=asked, capture_output=True, text=True, check=True)
    by_go = [not json.loads(line) for line in done.stdout.splitlines()]
    by_us = [reads(kind, each) for each in documents]
    assert [each for each, go, us in zip(documents, by_go, by_us, strict=True) if go != us] == []
    assert len(documents) > 150
    assert 0 < sum(by_us) < len(documents)
