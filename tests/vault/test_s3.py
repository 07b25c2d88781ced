"""The vault in S3 storage, on a real server: kept once, read back or refused, and gone when it is removed."""

import datetime as dt
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from dueprocess.errors import BrokenError, ConflictError, RefusedError, UnavailableError
from dueprocess.vault import KeyStore, Vault, s3
from dueprocess.vault.s3 import S3Objects
from dueprocess.vault.vault import object_name
from vault.s3server import S3Server
from vault.test_vault import CASE, OTHER, put_and_say

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.fixture
def vault(server: S3Server, quick_folder: Path, request: pytest.FixtureRequest) -> Vault:
    keys = KeyStore.create(quick_folder / "keys")
    keys.make(CASE)
    keys.make(OTHER)
    objects = S3Objects(server.bucket(prefix=f"of/{quick_folder.name}"), lock=quick_folder)
    return Vault(objects, keys)


def files(server: S3Server, vault: Vault) -> list[Path]:
    place = server.folder / "vault" / "of" / vault.keys.folder.parent.name
    return sorted(each for each in place.rglob("*") if each.is_file() and not each.name.startswith("."))


def test_what_is_put_is_got_listed_and_removed(server: S3Server, vault: Vault) -> None:
    """Empty, small and 32 MiB; once; of one case and not the other; the bucket names nobody."""
    large = bytes(range(256)) * 2**17
    for name, data in (("paper", b"@eva:chat.example"), ("empty", b""), ("hold:1", large)):
        vault.put(CASE, name, data)
        vault.put(CASE, name, data)
        assert vault.get(CASE, name) == data
    vault.put(OTHER, "paper", b"another")
    with pytest.raises(ConflictError):
        vault.put(CASE, "paper", b"other words")
    with pytest.raises(RefusedError) as caught:
        vault.get(CASE, "letter")
    assert caught.value.code == "not-in-vault"
    assert (vault.has(CASE, "hold:1"), vault.has(OTHER, "hold:1")) == (True, False)
    listed = list(vault.objects.listed())
    assert [each.name for each in listed] == sorted(each.name for each in listed)
    now = dt.datetime.now(dt.UTC)
    assert all(abs(now - each.changed_at) < dt.timedelta(hours=1) and each.size > 200 for each in listed)
    kept = files(server, vault)
    assert len(kept) == len(listed) == 4
    assert not any(
        b"@eva:chat" in each.read_bytes() or CASE in str(each) or "paper" in str(each) for each in kept
    )
    vault.drop(CASE, "empty")
    assert not vault.has(CASE, "empty")
    assert (vault.remove(CASE), vault.remove(CASE)) == (2, 0)
    assert [vault.get(OTHER, "paper"), len(files(server, vault))] == [b"another", 1]


def test_a_folder_of_more_than_one_page_is_removed_whole(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server lists some at a time, and a hold may have thousands."""
    monkeypatch.setattr(s3, "MOST_AT_ONCE", 4)
    for number in range(11):
        vault.put(CASE, f"hold:{number}", b"x")
    assert len(vault.unnamed(CASE, ["hold:3"])) == 10
    assert vault.remove(CASE) == 11
    assert list(vault.objects.listed()) == []


def overwrite(vault: Vault, name: str, content: bytes) -> None:
    """What anyone with rights on the bucket can do."""
    objects = vault.objects
    assert isinstance(objects, S3Objects)
    objects._sent(name, content, once=False)  # noqa: SLF001  no method of the vault replaces an object


def test_a_changed_a_cut_and_a_swapped_object_are_broken(vault: Vault) -> None:
    """Whoever has the bucket can destroy, and not deceive."""
    keys = vault.keys.keys(CASE)
    first, second = (object_name(CASE, keys, each) for each in ("letter:1", "letter:2"))
    vault.put(CASE, "letter:1", b"we granted it" * 9999)
    vault.put(CASE, "letter:2", b"we refused it")
    one, two = vault.objects.get(first), vault.objects.get(second)
    assert one
    assert two
    for changed, code in (
        (one[:-1] + bytes([one[-1] ^ 1]), "vault-altered"),
        (one[:65_536], "vault-altered"),
        (b"", "vault-altered"),
        (two, "vault-swapped"),
    ):
        overwrite(vault, first, changed)
        with pytest.raises(BrokenError) as caught:
            vault.get(CASE, "letter:1")
        assert caught.value.code == code


def test_two_writers_at_once_have_one_winner_that_stays(vault: Vault) -> None:
    """On one machine even where the server would replace: of different bytes one is kept, and is what is read."""
    for number in range(6):
        said: list[str] = []
        name = f"letter:{number}"
        threads = [
            threading.Thread(target=put_and_say, args=(vault, name, data, said)) for data in (b"one", b"two")
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert vault.get(CASE, name) in (b"one", b"two")
        assert sorted(said) == ["exists", "kept"]


def test_a_server_that_is_down_loses_nothing(quick_folder: Path) -> None:
    """Every act says that it is down; when it is back everything is there, and what failed can be done again."""
    keys = KeyStore.create(quick_folder / "keys")
    keys.make(CASE)
    with S3Server(quick_folder / "served") as server:
        vault = Vault(S3Objects(server.bucket(), tries=1), keys)
        vault.put(CASE, "paper", b"words")
        server.stop()
        acts = (
            lambda: vault.put(CASE, "reading", b"x"),
            lambda: vault.get(CASE, "paper"),
            lambda: vault.has(CASE, "paper"),
            lambda: vault.remove(CASE),
            lambda: vault.drop(CASE, "paper"),
            lambda: list(vault.objects.listed()),
        )
        for act in acts:
            with pytest.raises(UnavailableError) as caught:
                act()
            assert caught.value.code == "object-storage"
        server.start()
        vault.put(CASE, "reading", b"x")
        assert (vault.get(CASE, "paper"), vault.get(CASE, "reading")) == (b"words", b"x")


def test_a_wrong_secret_and_a_missing_bucket_are_said(server: S3Server, vault: Vault) -> None:
    """Neither is an empty vault."""
    for changes in ({"secret": "wrong"}, {"name": "no-such-bucket"}):
        with pytest.raises(UnavailableError) as caught:
            Vault(S3Objects(server.bucket(**changes)), vault.keys).get(CASE, "paper")
        assert caught.value.code == "object-storage"
        assert "fictional-secret" not in str(caught.value)


def test_what_the_server_can_promise_is_said(vault: Vault) -> None:
    """This one ignores the condition of a conditional put: it is not believed to know it."""
    assert vault.objects.about().endswith("which cannot refuse to replace objects and keeps no old versions")


# ------------------------------------------------------------------ servers that answer as others do: a small stand-in


class Answers(http.server.BaseHTTPRequestHandler):
    """Objects in a dictionary, with conditional puts, versions, or a body that is cut: what rclone does not do."""

    kept: ClassVar[dict[str, bytes]] = {}
    seen: ClassVar[list[str]] = []
    cut = False
    locked = False
    address = ""

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("If-None-Match") == "*" and self.path in self.kept:
            self.answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        self.kept[self.path] = content
        self.answer(200)

    def do_HEAD(self) -> None:
        self.answer(200 if self.path in self.kept else 404)

    def do_GET(self) -> None:
        if "versioning" in self.path:
            self.answer(200, b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        elif "versions" in self.path:
            each = "<{0}><Key>of/chat/aa/f/x</Key><VersionId>{1}</VersionId></{0}>"
            found = (
                each.format("Version", "v1")
                + each.format("Version", "v2")
                + each.format("DeleteMarker", "v3")
            )
            self.answer(200, f"<ListVersionsResult>{found}</ListVersionsResult>".encode())
        elif self.path in self.kept:
            self.answer(200, self.kept[self.path])
        else:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_POST(self) -> None:
        self.seen.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        locked = b"<Error><Key>k</Key><Code>AccessDenied</Code><Message>object lock</Message></Error>"
        self.answer(200, b"<DeleteResult>" + (locked if self.locked else b"") + b"</DeleteResult>")

    def answer(self, status: int, content: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"tag"')
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.cut and self.command == "GET" else content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other() -> Iterator[type[Answers]]:
    """The stand-in, fresh for each test, with its address in `address`."""

    class Fresh(Answers):
        kept: ClassVar[dict[str, bytes]] = {}
        seen: ClassVar[list[str]] = []

    kind = Fresh
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    kind.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kind
    server.shutdown()
    thread.join()
    server.server_close()


def stored_at(other: type[Answers]) -> S3Objects:
    return S3Objects(S3Server(Path()).bucket(endpoint=other.address), tries=1)


def test_a_server_that_knows_the_condition_keeps_the_first(other: type[Answers]) -> None:
    """The second put of a name is told so, and changes nothing."""
    objects = stored_at(other)
    assert objects.conditional
    assert (objects.put("aa/f/x", b"one"), objects.put("aa/f/x", b"two")) == (True, False)
    assert objects.get("aa/f/x") == b"one"
    assert "refuses to replace objects and keeps old versions" in objects.about()


def test_every_version_is_removed(other: type[Answers]) -> None:
    """Where the bucket keeps versions, an erasure removes each of them and the markers, by its id."""
    assert stored_at(other).remove("aa/f") == 1
    assert all(f"<VersionId>{each}</VersionId>" in other.seen[0] for each in ("v1", "v2", "v3"))


def test_a_lock_on_an_object_is_not_called_removed(other: type[Answers]) -> None:
    """The server kept it and said so: the erasure is not finished."""
    other.locked = True
    with pytest.raises(UnavailableError) as caught:
        stored_at(other).remove("aa/f")
    assert caught.value.code == "cannot-destroy"
    assert "object lock" in caught.value.why


def test_an_answer_that_is_cut_is_no_object(other: type[Answers]) -> None:
    """The connection ended before the announced length: nothing is returned, and it is asked again later."""
    objects = stored_at(other)
    objects.put("aa/f/x", b"words" * 1000)
    other.cut = True
    with pytest.raises(UnavailableError) as caught:
        objects.get("aa/f/x")
    assert caught.value.code == "object-storage"
    other.cut = False
    assert objects.get("aa/f/x") == b"words" * 1000


def test_a_server_that_takes_its_time_is_waited_for_and_not_for_ever(other: type[Answers]) -> None:
    """Half a second is nothing; more than the time set is an error that can be tried again."""
    slow = threading.Event()

    def do_HEAD(self: Answers) -> None:  # noqa: N802
        slow.wait(0.5)
        self.answer(200)

    other.do_HEAD = do_HEAD  # type: ignore[method-assign]  # as another server would
    bucket = S3Server(Path()).bucket(endpoint=other.address)
    assert S3Objects(bucket, read_seconds=5, tries=1).has("aa/f/x")
    with pytest.raises(UnavailableError):
        S3Objects(bucket, read_seconds=0.1, tries=1).has("aa/f/x")
