"""Dice that nobody holds: the rule, its vectors, and a second writing of it that shares no code."""

import hashlib
import importlib.util
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.audit.sample import Sample, announcement, draw, parse_sample, sample_seed
from dueprocess.errors import MalformedError
from dueprocess.wire import canonical

SPECS = Path(__file__).resolve().parents[2] / "specs" / "audit"
VECTORS: list[dict[str, Any]] = json.loads((SPECS / "vectors.json").read_text())["draws"]


def by_hand(origin: str, size: int, root: bytes, numbers: list[int], count: int) -> list[int]:
    """The rule of specs/audit, written a second time from its page."""
    name = origin.encode()
    head = len(name).to_bytes(2, "big") + name + size.to_bytes(8, "big") + root
    seed = hashlib.sha256(b"dueprocess/sample/v1\n" + head).digest()
    left, drawn, i = sorted(numbers), list[int](), 0
    while left and len(drawn) < count:
        word = int(
            hashlib.sha256(b"dueprocess/sample-draw/v1\n" + seed + i.to_bytes(8, "big")).hexdigest()[:16], 16
        )
        i += 1
        if word < (2**64 // len(left)) * len(left):
            drawn.append(left.pop(word % len(left)))
    return sorted(drawn)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: str(each["name"]))
def test_the_vectors_are_drawn_by_both_writings(vector: dict[str, Any]) -> None:
    """The seed and the drawn numbers."""
    origin, size, root = vector["origin"], vector["size"], bytes.fromhex(vector["root"])
    seed = sample_seed(origin, size, root)
    assert seed.hex() == vector["seed"]
    assert list(draw(seed, vector["numbers"], vector["count"])) == vector["drawn"]
    assert by_hand(origin, size, root, vector["numbers"], vector["count"]) == vector["drawn"]


def test_the_vectors_are_what_their_generator_writes() -> None:
    """Nobody edits them by hand."""
    spec = importlib.util.spec_from_file_location("generate_audit", SPECS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.vectors() == json.loads((SPECS / "vectors.json").read_text())


@given(
    st.binary(min_size=32, max_size=32),
    st.lists(st.integers(1, 10**6), unique=True, max_size=40),
    st.integers(1, 50),
)
@settings(max_examples=150, deadline=None)
def test_so_many_are_drawn_each_once(seed: bytes, numbers: list[int], count: int) -> None:
    """Never a number that was not there, never one twice, all where there are too few."""
    drawn = draw(seed, sorted(numbers), count)
    assert len(drawn) == len(set(drawn)) == min(count, len(numbers))
    assert set(drawn) <= set(numbers)
    assert list(drawn) == sorted(drawn)


def test_no_number_is_likelier_than_another() -> None:
    """Over 6,000 draws of 2 out of 7, each number comes about 1,714 times."""
    counts: Counter[int] = Counter()
    for each in range(6000):
        counts.update(draw(hashlib.sha256(b"%d" % each).digest(), range(7), 2))
    chi2 = sum((counts[each] - 12000 / 7) ** 2 / (12000 / 7) for each in range(7))
    assert chi2 < 22.5, counts  # 6 degrees of freedom, one in a thousand


def test_a_word_in_the_uneven_rest_is_thrown_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The top of the range would make the first numbers likelier."""
    words = iter([2**64 - 1, 5])
    monkeypatch.setattr("dueprocess.audit.sample._words", lambda _: words)
    assert draw(bytes(32), [10, 20, 30], 1) == (30,)


def test_the_dice_are_a_whole_head() -> None:
    """Origin, size and root each change them; half a root is none."""
    root = bytes(range(32))
    seeds = {
        sample_seed("a", 1, root),
        sample_seed("b", 1, root),
        sample_seed("a", 2, root),
        sample_seed("a", 1, root[::-1]),
    }
    assert len(seeds) == 4
    for size, bad in ((1, root[1:]), (-1, root)):
        with pytest.raises(MalformedError, match="head"):
            sample_seed("a", size, bad)


SAMPLE = Sample("a" * 64, 100, 2, "chat.example/1", 101, bytes(32), (3, 9))


def test_a_sample_is_read_back_as_it_was_written() -> None:
    """In one spelling only."""
    assert parse_sample(SAMPLE.encoded) == SAMPLE
    other = {**SAMPLE.as_json(), "t": "something-else"}
    with pytest.raises(MalformedError, match="not the sample"):
        parse_sample(canonical(other))


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_foreign_bytes_are_malformed(data: bytes) -> None:
    """And nothing else."""
    with pytest.raises(MalformedError):
        parse_sample(data)


def test_the_announcement_names_bundle_log_size_and_number() -> None:
    """What is signed beforehand leaves no choice afterwards."""
    sentence = announcement("f" * 64, "chat.example/1", 500, 7)
    assert all(each in sentence for each in ("f" * 64, "chat.example/1", "500", "7 demands"))
