"""Tiles: paths, bundles, what to write when a log grows, and a reader that believes nothing."""

from collections.abc import Callable

import aics_tlog
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog import (
    EMPTY_ROOT,
    Checkpoint,
    Frontier,
    TileName,
    TileReader,
    format_bundle,
    leaf_hash,
    parse_bundle,
    parse_path,
    parse_tile,
    root_of,
    tiles_for_growth,
    verify_consistency,
    verify_inclusion,
)
from dueprocess.tlog.growing import Growth, growth

ORIGIN = "log.example/1"
ENTRIES = tuple(b"entry %d" % number for number in range(70_000))
HASHES = tuple(leaf_hash(each) for each in ENTRIES)

type Files = dict[str, bytes]

NOTHING: Files = {}


def grow(files: Files, frontier: Frontier, size: int) -> Frontier:
    """Appends up to ``size`` entries; no path may be written twice with other bytes."""
    for path, content in tiles_for_growth(frontier, ENTRIES[frontier.size : size], files.__getitem__):
        assert path not in files
        files[path] = content
    return frontier.extend(HASHES[frontier.size : size])


def log(*sizes: int) -> Files:
    files: Files = {}
    frontier = Frontier()
    for size in sizes:
        frontier = grow(files, frontier, size)
    return files


def head(size: int) -> Checkpoint:
    return Checkpoint(ORIGIN, size, root_of(HASHES[:size]))


LARGE = log(70_000)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (TileName(0, 1_234_067), "tile/0/x001/x234/067"),
        (TileName(0, 0), "tile/0/000"),
        (TileName(63, 999), "tile/63/999"),
        (TileName(1, 1000, 7), "tile/1/x001/000.p/7"),
        (TileName(None, 273, 112), "tile/entries/273.p/112"),
        (TileName(None, 1_000_000), "tile/entries/x001/x000/000"),
    ],
)
def test_paths_are_those_of_the_specification(name: TileName, path: str) -> None:
    """Level, index in groups of three, width of a partial tile; both ways."""
    assert name.path == path
    assert parse_path(path) == name


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/0/0",
        "tile/00/000",
        "tile/64/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/8/0/000",
        "tile/0/000\n",
        "tile/0/../000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/" + "x001/" * 60 + "000",
    ],
)
def test_what_is_not_a_path_of_a_tile_is_refused(path: str) -> None:
    """One path per tile: no leading groups of zeros, no other digits, no dots."""
    with pytest.raises(MalformedError):
        parse_path(path)


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    """273 full and one of 112 on level 0, one full and one of 17 on level 1, one of 1 on level 2."""
    names = sorted(parse_path(path) for path in LARGE if "entries" not in path)
    partial = [name for name in names if name.width < 256]
    assert partial == [TileName(0, 273, 112), TileName(1, 1, 17), TileName(2, 0, 1)]
    assert len(names) == 273 + 1 + 1 + 1 + 1
    assert len(LARGE) == len(names) + 274


def test_a_tree_of_256_has_a_full_tile_and_one_above() -> None:
    """The specification's other example."""
    assert set(log(256)) == {"tile/0/000", "tile/1/000.p/1", "tile/entries/000"}


def test_the_tiles_are_those_of_the_oracle() -> None:
    """aics-tlog's writer, fed in the same steps, writes the same files with the same bytes."""
    sizes = (1, 2, 255, 256, 257, 511, 600, 65_535, 65_537, 66_000)
    store = aics_tlog.MemoryTileStore()
    writer = aics_tlog.IncrementalTileWriter(store, prune_partials=False)
    before = 0
    for size in sizes:
        writer.append(list(ENTRIES[before:size]))
        before = size
    assert store.tiles == log(*sizes)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=5).map(sorted))
def test_growing_in_steps_gives_all_that_each_size_needs(sizes: list[int]) -> None:
    """After any steps, every size that was ever published can be read to its root, entry by entry."""
    files = log(*sizes)
    for size in sizes:
        reader = TileReader(files.__getitem__, head(size))
        reader.check_root()
        assert tuple(reader.entries(0, size)) == ENTRIES[:size]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 700), st.integers(0, 700))
def test_growth_gives_the_frontier_that_appending_the_leaves_gives(old: int, more: int) -> None:
    """The hashes made for the tiles are those of the new right edge: what is signed is what is written."""
    frontier = Frontier().extend(HASHES[:old])
    grown = growth(frontier, ENTRIES[old : old + more], log(old).__getitem__)
    assert grown.frontier == Frontier().extend(HASHES[: old + more])
    assert grown.files == tuple(tiles_for_growth(frontier, ENTRIES[old : old + more], log(old).__getitem__))


@pytest.mark.parametrize(
    ("old", "size"), [(65_535, 65_536), (65_536, 65_537), (255, 66_000), (66_000, 70_000)]
)
def test_growth_over_several_levels_gives_the_right_frontier(old: int, size: int) -> None:
    """Where tiles of level 1 become full, and where they are left alone."""
    grown = growth(Frontier().extend(HASHES[:old]), ENTRIES[old:size], log(old).__getitem__)
    assert grown.frontier == Frontier().extend(HASHES[:size])


def test_growing_by_nothing_writes_nothing() -> None:
    """No entries, no files, and no reading either."""
    assert list(tiles_for_growth(Frontier(), (), NOTHING.__getitem__)) == []
    frontier = Frontier(1, (HASHES[0],))
    assert growth(frontier, (), NOTHING.__getitem__) == Growth(frontier, ())


def test_a_log_does_not_grow_over_damage() -> None:
    """The old right edge must agree with the writer's own frontier."""
    files = log(300)
    frontier = Frontier().extend(HASHES[:300])
    for path in ("tile/0/001.p/44", "tile/entries/001.p/44", "tile/1/000.p/1"):
        damaged = {**files, path: b"\x00" + files[path][:-1] + b"\x01"}
        with pytest.raises(MalformedError):
            list(tiles_for_growth(frontier, (b"more",), damaged.__getitem__))


def test_an_entry_that_no_bundle_can_hold_is_refused() -> None:
    """65,535 bytes is the most, and 256 entries."""
    assert parse_bundle(format_bundle([bytes(65_535)]), width=1) == (bytes(65_535),)
    for entries in ([bytes(65_536)], [], [b""] * 257):
        with pytest.raises(MalformedError):
            format_bundle(entries)


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 65_536, 65_537, 70_000])
def test_proofs_from_tiles_verify(size: int) -> None:
    """Inclusion of first, middle and last leaf, consistency from several older sizes."""
    files = LARGE if size == 70_000 else log(size)
    reader = TileReader(files.__getitem__, head(size))
    root = head(size).root
    for index in {0, size // 2, size - 1}:
        verify_inclusion(index, size, reader.leaf_hash(index), reader.inclusion_proof(index), root)
        assert reader.entry(index) == ENTRIES[index]
    for old in {1, (size + 1) // 2, max(1, size - 1), size}:
        older = root_of(HASHES[:old])
        assert reader.root_at(old) == older
        verify_consistency(old, size, older, root, reader.consistency_proof(old))


def test_the_empty_log_is_read_without_a_file() -> None:
    """Size 0 has a root, no tile and no entry."""
    reader = TileReader(NOTHING.__getitem__, Checkpoint(ORIGIN, 0, EMPTY_ROOT))
    reader.check_root()
    assert reader.root_at(0) == EMPTY_ROOT
    with pytest.raises(MalformedError):
        reader.entry(0)


def test_a_proof_reads_few_tiles() -> None:
    """Three levels: at most the right edge and the tiles on the way down."""
    read: list[str] = []

    def counted(path: str) -> bytes:
        read.append(path)
        return LARGE[path]

    TileReader(counted, head(70_000)).inclusion_proof(12_345)
    assert len(read) <= 5
    read.clear()
    TileReader(counted, head(70_000)).consistency_proof(12_345)
    assert len(read) <= 5


def test_many_leaves_are_read_with_few_kept() -> None:
    """Reading far and wide in any order stays right, though only some tiles are kept."""
    reader = TileReader(LARGE.__getitem__, head(70_000))
    assert all(reader.leaf_hash(index) == HASHES[index] for index in range(0, 70_000, 97))
    assert all(reader.leaf_hash(index) == HASHES[index] for index in range(69_999, 0, -997))


def test_any_changed_byte_in_a_tile_that_is_read_is_noticed() -> None:
    """Every byte of every file of a small log: reading all of it finds the damage and names the file."""
    files = log(258)
    for path, content in files.items():
        for at in range(0, len(content), 1 if len(content) < 200 else 41):
            changed = content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :]
            reader = TileReader({**files, path: changed}.__getitem__, head(258))
            with pytest.raises(MalformedError) as caught:
                list(reader.entries(0, 258))
            assert path in str(caught.value)


def test_an_audit_reads_every_file_of_the_tree() -> None:
    """All tiles and bundles of the size, and damage to any one of them."""
    files = log(700)
    assert set(TileReader(files.__getitem__, head(700)).audit()) == set(files)
    assert list(TileReader(NOTHING.__getitem__, head(0)).audit()) == []
    for path, content in files.items():
        changed = {**files, path: content[:-1] + bytes([content[-1] ^ 1])}
        with pytest.raises(MalformedError, match=path):
            list(TileReader(changed.__getitem__, head(700)).audit())


def test_every_file_ever_written_can_be_checked_against_the_newest_tree() -> None:
    """Also the partial tiles of older sizes, which nobody reads any more; foreign files are refused."""
    files = log(3, 258, 700)
    for path, content in files.items():
        TileReader(files.__getitem__, head(700)).check_file(path)
        changed = {**files, path: content[:-1] + bytes([content[-1] ^ 1])}
        with pytest.raises(MalformedError, match=path):
            TileReader(changed.__getitem__, head(700)).check_file(path)
    for path in ("tile/0/003", "tile/0/002.p/189", "tile/2/000.p/1", "tile/entries/003.p/1", "tile/x"):
        with pytest.raises(MalformedError, match=path):
            TileReader({**files, path: b""}.__getitem__, head(700)).check_file(path)


@pytest.mark.parametrize(
    "cut",
    [lambda each: each[:-1], lambda each: each + b"\x00", lambda _: b""],
    ids=["cut", "padded", "empty"],
)
def test_a_file_of_the_wrong_length_is_noticed(cut: Callable[[bytes], bytes]) -> None:
    """Cut off, padded or emptied."""
    files = log(258)
    for path, content in files.items():
        with pytest.raises(MalformedError):
            list(TileReader({**files, path: cut(content)}.__getitem__, head(258)).entries(0, 258))


def test_a_missing_file_is_unavailable_and_named() -> None:
    """For a full tile, a partial one and a bundle; as KeyError and as FileNotFoundError."""
    files = log(258)

    def on_disk(path: str) -> bytes:
        raise FileNotFoundError(path)

    for path in files:
        rest = {each: content for each, content in files.items() if each != path}
        with pytest.raises(UnavailableError, match=path.split(".p/")[0]):
            list(TileReader(rest.__getitem__, head(258)).entries(0, 258))
    with pytest.raises(UnavailableError):
        TileReader(on_disk, head(258)).check_root()


def test_a_full_tile_stands_in_for_a_partial_one_that_is_gone() -> None:
    """Logs may delete partial tiles once the full ones exist; older checkpoints stay readable."""
    files = log(300, 600)
    del files["tile/0/001.p/44"], files["tile/entries/001.p/44"]
    reader = TileReader(files.__getitem__, head(300))
    assert tuple(reader.entries(0, 300)) == ENTRIES[:300]


def test_a_tile_of_another_log_is_refused() -> None:
    """A whole, valid log that is not the one of the checkpoint."""
    with pytest.raises(MalformedError):
        TileReader(log(300).__getitem__, Checkpoint(ORIGIN, 300, leaf_hash(b"other"))).check_root()
    with pytest.raises(MalformedError):
        TileReader(NOTHING.__getitem__, Checkpoint(ORIGIN, 0, EMPTY_ROOT)).leaf_hash(0)


@pytest.mark.parametrize(("level", "index"), [(0, 300), (9, 0), (-1, 0), (0, -1), (8, 1)])
def test_only_complete_subtrees_have_a_hash(level: int, index: int) -> None:
    """What is not, or not yet, complete has none."""
    with pytest.raises(MalformedError):
        TileReader(log(300).__getitem__, head(300)).hash_at(level, index)


@pytest.mark.parametrize("size", [-1, 301])
def test_there_is_no_root_outside_the_tree(size: int) -> None:
    """Older sizes only."""
    with pytest.raises(MalformedError):
        TileReader(log(300).__getitem__, head(300)).root_at(size)


@pytest.mark.parametrize(
    ("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)]
)
def test_a_tile_that_cannot_be_has_no_name(level: int, index: int, width: int) -> None:
    """Levels 0 to 63, widths 1 to 256."""
    with pytest.raises(MalformedError):
        TileName(level, index, width)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.from_regex(r"tile/(\d+|entries)/(x\d{3}/)*\d{3}(\.p/\d+)?", fullmatch=True)))
def test_text_gives_a_tile_name_or_a_malformed_error(text: str) -> None:
    """The parser raises nothing else, and each tile has one path."""
    try:
        assert parse_path(text).path == text
    except MalformedError:
        return


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600), st.integers(1, 256))
def test_bytes_give_a_bundle_or_a_malformed_error(content: bytes, width: int) -> None:
    """The parser raises nothing else, and what it takes is written back byte for byte."""
    try:
        assert format_bundle(parse_bundle(content, width=width)) == content
    except MalformedError:
        return


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=20), min_size=1, max_size=256))
def test_entries_come_back_out_of_their_bundle(entries: list[bytes]) -> None:
    """Empty ones too."""
    assert parse_bundle(format_bundle(entries), width=len(entries)) == tuple(entries)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.integers(1, 256))
def test_bytes_give_a_tile_or_a_malformed_error(content: bytes, width: int) -> None:
    """The parser raises nothing else."""
    try:
        assert b"".join(parse_tile(content, width=width)) == content
    except MalformedError:
        return


def counted(files: Files, seen: list[str]) -> Callable[[str], bytes]:
    """Reads files, and keeps a list of what was read."""

    def read(path: str) -> bytes:
        seen.append(path)
        return files[path]

    return read


def test_an_audit_reads_each_file_once() -> None:
    """Also where there are more tiles than are kept: a log of any size is verified in one pass."""
    seen: list[str] = []
    paths = list(TileReader(counted(LARGE, seen), head(70_000)).audit())
    assert sorted(paths) == sorted(LARGE)
    assert len(seen) <= len(LARGE) + 2
    assert set(seen) == set(LARGE)


def test_checking_the_partial_files_of_one_bundle_reads_the_bundle_once() -> None:
    """A log that is published often has hundreds of them for each bundle."""
    files = log(*range(1, 101))
    seen: list[str] = []
    reader = TileReader(counted(files, seen), head(100))
    for width in range(1, 100):
        reader.check_file(f"tile/entries/000.p/{width}")
    assert seen.count("tile/entries/000.p/100") == 1


@pytest.mark.parametrize(("start", "end"), [(0, 701), (700, 701), (-1, 3), (701, 702)])
def test_no_entry_is_given_outside_the_log(start: int, end: int) -> None:
    """Not the first ones either: a caller must not take a part for the whole."""
    with pytest.raises(MalformedError):
        next(TileReader(log(700).__getitem__, head(700)).entries(start, end))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 700), st.integers(0, 700))
def test_any_range_of_entries_is_given_in_order(start: int, end: int) -> None:
    """Within a bundle, over the border of bundles, and none where the range is empty."""
    assert tuple(READER.entries(start, end)) == ENTRIES[start:end]


READER = TileReader(log(700).__getitem__, head(700))
