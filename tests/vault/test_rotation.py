"""A new key-encryption key: nothing is lost whenever it is killed, and nothing erased comes back."""

import datetime as dt
import shutil
import threading
from pathlib import Path

import pytest

from dueprocess.errors import BrokenError, ConflictError, RefusedError, UnavailableError
from dueprocess.vault import CommandSource, FileSource, KekSource, KeyStore
from dueprocess.vault.keystore import CaseKeys, locked, read_in_use
from dueprocess.vault.privatefiles import replace_private
from dueprocess.vault.rotation import change_passphrase, rotate, status
from dueprocess.vault.wrapping import Ring, kek_id, needs
from dueprocess.wire import b64, canonical
from vault.killing import killed_at

NOW = dt.datetime(2026, 9, 4, 8, 0, tzinfo=dt.UTC)
CASES = ["a" * 32, "b" * 32, "c" * 32]


@pytest.fixture
def store(quick_folder: Path) -> KeyStore:
    keys = KeyStore.create(quick_folder / "keys")
    for each in CASES:
        keys.make(each)
    keys.secret("epoch-master")
    return keys


def everything(folder: Path) -> tuple[dict[str, CaseKeys], bytes]:
    """All that a key store opens, read by a program that starts now."""
    keys = KeyStore.open(folder)
    return {each.case_id: keys.keys(each.case_id) for each in keys.files()}, keys.secret("epoch-master")


def wrapped(folder: Path) -> list[str]:
    files = [*(folder / "cases").iterdir(), *folder.glob("*.secret")]
    return sorted({str(needs(each.read_bytes())) for each in files})


def test_after_a_rotation_everything_opens_and_only_under_the_new_key(store: KeyStore) -> None:
    """The old key-encryption key opens nothing any more, and times of files stay as they were."""
    old, before = store.kek, everything(store.folder)
    replace_private(
        store.folder / "cases" / f"{CASES[0]}.key",
        (store.folder / "cases" / f"{CASES[0]}.key").read_bytes(),
        at=1e9,
    )
    done = rotate(store, NOW)
    assert (done.wrapped, done.files, done.resumed) == (4, 4, False)
    assert everything(store.folder) == before
    assert wrapped(store.folder) == [done.kek_id] != [kek_id(old)]
    assert next(iter(store.files())).made_at.timestamp() == 1e9
    for each in CASES:
        with pytest.raises(BrokenError) as caught:
            KeyStore.open(store.folder, _source(old)).keys(each)
        assert caught.value.code == "other-kek"
    assert not (store.folder / "kek.next").exists()
    found = status(store)
    assert (found.case_keys, found.secrets, found.behind, found.kind) == (3, 1, 0, "file")
    assert found.in_use is not None
    assert found.in_use.finished_at == "2026-09-04T08:00:00Z"


class _source(FileSource):  # noqa: N801  reads like a function: a source that gives this key
    def __init__(self, kek: bytes) -> None:
        self._given = kek

    kind = "file"

    def keks(self) -> list[bytes]:
        return [self._given]


def test_a_rotation_that_is_killed_anywhere_is_run_again(store: KeyStore, quick_folder: Path) -> None:
    """At every operation on files: all opens at once, new keys can be made, and the second run ends it."""
    before = everything(store.folder)
    folder, number = quick_folder / "copy", 0
    while True:
        number += 1
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(store.folder, folder)
        if not killed_at(number, lambda: rotate(KeyStore.open(folder), NOW)):
            break
        assert everything(folder) == before, number
        made = KeyStore.open(folder).make("d" * 32)
        done = rotate(KeyStore.open(folder), NOW)
        assert everything(folder) == ({**before[0], "d" * 32: made}, before[1]), number
        assert wrapped(folder) == [done.kek_id]
        left = [each.name for each in folder.rglob("*") if each.is_file()]
        assert not [each for each in left if each.startswith(".new-") or each == "kek.next"], number
    assert number > 40


def test_an_erased_key_does_not_come_back_whenever_a_rotation_is_killed(
    store: KeyStore, quick_folder: Path
) -> None:
    """Destroyed after the kill, it is in no file of the key store: under no name and neither key-encryption key."""
    record_key = store.keys(CASES[1]).record_key
    folder, number = quick_folder / "copy", 0
    while True:
        number += 1
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(store.folder, folder)
        if not killed_at(number, lambda: rotate(KeyStore.open(folder), NOW)):
            break
        keys = KeyStore.open(folder)
        rings = [Ring((each,)) for each in keys.source.keks()]
        keys.destroy(CASES[1])
        for path in (folder / "cases").iterdir():
            for ring in rings:
                try:
                    plain = ring.unwrap(path.read_bytes(), CASES[1])
                except BrokenError:
                    continue
                raise AssertionError((number, path, record_key, plain))
        rotate(keys, NOW)
        assert not keys.has(CASES[1])


def test_a_key_that_is_destroyed_while_it_is_wrapped_anew_stays_destroyed(store: KeyStore) -> None:
    """Erasure waits for the one file in hand; the rotation then finds none. Both in threads, fifty times."""
    for round_ in range(50):
        case_id = f"{round_:032x}"
        store.make(case_id)
        other = KeyStore.open(store.folder)
        threads = [
            threading.Thread(target=rotate, args=(store, NOW)),
            threading.Thread(target=other.destroy, args=(case_id,)),
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert not store.has(case_id)
    assert len(list(store.files())) == len(CASES)


def test_a_program_from_before_the_rotation_goes_on(store: KeyStore) -> None:
    """It reads what was wrapped anew, makes keys under the new key-encryption key, and never under the old."""
    old = KeyStore.open(store.folder)
    done = rotate(store, NOW)
    made = old.make("d" * 32)
    assert old.keys(CASES[0]) == store.keys(CASES[0])
    assert store.keys("d" * 32) == made
    assert wrapped(store.folder) == [done.kek_id]
    assert old.kek == store.kek


def test_files_of_the_first_release_open_and_are_wrapped_anew(quick_folder: Path) -> None:
    """A bare secret, and a key file that begins with its nonce: read as ever, and rotated into the new form."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    folder, kek = quick_folder / "keys", b"k" * 32
    (folder / "cases").mkdir(parents=True)
    (folder / "kek").write_text(b64(kek))
    (folder / "epoch-master.secret").write_text(b64(b"m" * 32))
    old = CaseKeys(b"r" * 32, "AGE-SECRET-KEY-1FICTION")
    plain = canonical({"record_key": b64(old.record_key), "identity": old.identity})
    sealed = b"n" * 12 + AESGCM(kek).encrypt(b"n" * 12, plain, CASES[0].encode())
    (folder / "cases" / f"{CASES[0]}.key").write_bytes(sealed)
    assert everything(folder) == ({CASES[0]: old}, b"m" * 32)
    assert status(KeyStore.open(folder)).behind == 2
    done = rotate(KeyStore.open(folder), NOW)
    assert everything(folder) == ({CASES[0]: old}, b"m" * 32)
    assert (wrapped(folder), done.wrapped) == ([done.kek_id], 2)


def test_a_damaged_key_stops_a_rotation_before_the_old_key_goes(store: KeyStore) -> None:
    """What cannot be read now could be read from a copy, with the key-encryption key that would be gone."""
    path = store.folder / "cases" / f"{CASES[2]}.key"
    good, old = path.read_bytes(), store.kek
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(BrokenError) as caught:
        rotate(store, NOW)
    assert caught.value.code == "key-altered"
    assert old in KeyStore.open(store.folder).source.keks()
    path.write_bytes(good)
    assert rotate(KeyStore.open(store.folder), NOW).resumed


def test_a_key_file_says_which_key_encryption_key_it_needs(store: KeyStore) -> None:
    """Under none of those at hand it is refused by that name, and so is a key store that names another one."""
    path = store.folder / "cases" / f"{CASES[0]}.key"
    content = path.read_bytes()
    assert content[:4] == b"DPK\x01"
    path.write_bytes(content[:4] + bytes(8) + content[12:])
    with pytest.raises(BrokenError) as caught:
        store.keys(CASES[0])
    assert caught.value.code == "other-kek"
    assert "0" * 16 in caught.value.what
    (store.folder / "kek").write_text(b64(b"x" * 32))
    with pytest.raises(BrokenError) as caught:
        KeyStore.open(store.folder)
    assert caught.value.code == "other-kek"


def test_the_header_of_a_key_file_cannot_be_taken_off(store: KeyStore) -> None:
    """Nor can a secret be read as the key of a case: both are part of what is authenticated."""
    path = store.folder / "cases" / f"{CASES[0]}.key"
    content = path.read_bytes()
    for changed in (content[12:], (store.folder / "epoch-master.secret").read_bytes()):
        path.write_bytes(changed)
        with pytest.raises(BrokenError) as caught:
            store.keys(CASES[0])
        assert caught.value.code == "key-altered"


def test_two_that_make_one_secret_at_once_have_the_same(store: KeyStore) -> None:
    """Whoever came second takes what is there."""
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(KeyStore.open(store.folder).secret("fresh")))
        for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(found)) == 1


def test_a_key_store_is_created_once(store: KeyStore) -> None:
    """A second key-encryption key would lose what lies under the first."""
    with pytest.raises(ConflictError):
        KeyStore.create(store.folder)
    assert everything(store.folder)


# ------------------------------------------------------------------------------------------- the operator's command


def command(folder: Path, name: str, kek: bytes) -> tuple[str, ...]:
    """A key service of the operator's: it prints a key."""
    path = folder / name
    path.write_text(b64(kek) + "\n")
    return ("cat", str(path))


def test_the_key_goes_over_to_a_key_service_and_on_and_back(store: KeyStore, quick_folder: Path) -> None:
    """From the file to a command, to that command's next key, back to a file: all opens at each step."""
    before = everything(store.folder)
    first = command(quick_folder, "first", b"1" * 32)
    second = command(quick_folder, "second", b"2" * 32)
    steps: list[KekSource] = [
        CommandSource(first, FileSource(store.folder)),
        CommandSource(second, FileSource(store.folder), first),
        FileSource(store.folder, former_command=second),
    ]
    for number, source in enumerate(steps):
        keys = KeyStore.open(store.folder, source)
        assert keys.keys(CASES[0]) == before[0][CASES[0]]
        rotate(keys, NOW)
        assert KeyStore.open(store.folder, source).secret("epoch-master") == before[1]
        assert (store.folder / "kek").exists() == (number == 2)
    assert everything(store.folder) == before
    with pytest.raises(RefusedError) as caught:
        change_passphrase(
            KeyStore(store.folder, CommandSource(first, FileSource(store.folder))), "twelve fictional"
        )
    assert caught.value.code == "key-service"


def test_a_key_service_that_has_no_new_key_changes_nothing(store: KeyStore, quick_folder: Path) -> None:
    """The same key is no rotation; and a program that still has the file does not wrap under it afterwards."""
    source = CommandSource(command(quick_folder, "first", b"1" * 32), FileSource(store.folder))
    rotate(KeyStore.open(store.folder, source), NOW)
    with pytest.raises(RefusedError) as caught:
        rotate(KeyStore.open(store.folder, source), NOW)
    assert caught.value.code == "same-kek"
    with pytest.raises(UnavailableError):
        store.make("d" * 32)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("false",), "no-key-service"),
        (("no-such-program-anywhere",), "no-key-service"),
        (("echo", "dG9vIHNob3J0"), "bad-kek"),
        (("sh", "-c", "echo the vault sleeps >&2; exit 3"), "no-key-service"),
    ],
)
def test_a_key_service_that_fails_is_said(store: KeyStore, words: tuple[str, ...], code: str) -> None:
    """Which command, and its last words on the error output; what it printed is never repeated."""
    from dueprocess.errors import DueprocessError

    with pytest.raises(DueprocessError) as caught:
        KeyStore.open(store.folder, CommandSource(words, FileSource(store.folder)))
    assert caught.value.code == code
    assert "dG9v" not in str(caught.value)
    assert ("the vault sleeps" in caught.value.why) == (words[0] == "sh")


def test_a_begun_rotation_whose_key_is_gone_is_said(store: KeyStore, quick_folder: Path) -> None:
    """The key service forgot the key in the middle: nothing is guessed."""
    source = CommandSource(command(quick_folder, "first", b"1" * 32), FileSource(store.folder))
    assert killed_at(30, lambda: rotate(KeyStore.open(store.folder, source), NOW))
    found = read_in_use(store.folder)
    assert found is not None
    assert found.unfinished
    with pytest.raises(BrokenError) as caught:
        KeyStore.open(store.folder)
    assert caught.value.code == "other-kek"
    assert rotate(KeyStore.open(store.folder, source), NOW).resumed
    assert not (store.folder / "kek").exists()


def test_nothing_is_swept_while_a_paper_comes_in(store: KeyStore) -> None:
    """And nothing comes in while something is swept; several papers come in at once."""
    with store.receiving(), KeyStore.open(store.folder).receiving(), store.sweeping() as alone:
        assert not alone
    with store.sweeping() as alone, store.sweeping() as second:
        assert alone
        assert not second
    with locked(store.folder / "cases", exclusive=True, wait=False) as free:
        assert free
