"""The Prosody map on a running Prosody with SQLite, while it runs."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from datamaps.headers import header_of
from datamaps.reading import Rows, differences, errors, opened, plan_for, produced, resolved
from datamaps.servers import HOST, OTHER, needed_folder, prosody
from datamaps.talk import Talked, talk
from dueprocess.library.datamaps import shipped_maps


@dataclass(frozen=True)
class Server:
    """A server on which people have talked."""

    talked: Talked
    database: Path
    environment: dict[str, str]

    def rows(self, table: str) -> list[dict[str, object]]:
        """Everything in a table, read by hand."""
        link = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)
        link.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in link.execute(f'SELECT * FROM "{table}"')]  # a name of this test
        finally:
            link.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Prosody, still running, after three phases of talk on two hosts."""
    folder = tmp_path_factory.mktemp("prosody")
    with prosody(folder) as port:
        talked = talk(port, (HOST, OTHER))
        database = folder / "prosody.sqlite"
        yield Server(talked, database, {"PROSODY_DSN": f"sqlite:///{database}"})


def test_the_map_fits_what_prosody_makes(server: Server) -> None:
    """`datamap check` stops at nothing on the live database."""
    assert errors(shipped_maps()["prosody"], server.environment) == []


def test_everything_of_eva_in_the_window_leaves_and_nothing_else(server: Server) -> None:
    """Exactly what plain Python picks from the raw tables: one host, one account, the middle phase."""
    datamap, since, until = shipped_maps()["prosody"], *_seconds(server)
    with opened(datamap, server.environment) as stores:
        found = produced(plan_for(datamap, "eva", server.talked.window), stores)
    own = [row for row in server.rows("prosody") if (row["host"], row["user"]) == (HOST, "eva")]
    dated = [row for row in server.rows("prosodyarchive") if (row["host"], row["user"]) == (HOST, "eva")]
    kept = {
        (row["store"], row["key"]): row["value"]
        for row in own
        if row["store"] in ("accounts", "account_details")
    }

    def archived(store: str, *names: str) -> list[dict[str, object]]:
        return [
            {name: row[name] for name in names}
            for row in dated
            if row["store"] == store and since <= int(str(row["when"])) < until
        ]

    wanted: dict[str, Rows] = {label: [] for label in found}
    wanted |= {
        "account": [{"user": "eva", "host": HOST}],
        "registered_at": [{"value": kept["account_details", "registered"]}],
        "registered_email": [{"value": "eva@mail.example"}],
        "archive": archived("archive", "when", "with", "value"),
        "offline": archived("offline", "when", "value"),
        "vcard4": [
            {"when": row["when"], "value": row["value"]}
            for row in dated
            if row["store"] == "pep_urn:xmpp:vcard4"
        ],
    }
    assert differences(found, wanted) == {}
    assert ("accounts", "stored_key") in kept


def test_the_words_that_leave_are_those_of_the_middle_phase(server: Server) -> None:
    """What Eva sent and what she was sent, by its text; no canary, no password hash, no friend."""
    datamap = shipped_maps()["prosody"]
    with opened(datamap, server.environment) as stores:
        found = produced(plan_for(datamap, "EVA", server.talked.window), stores)
    assert [_body(row["value"]) for row in found["archive"]] == ["inside|eva to dana", "inside|dana to eva"]
    assert [_body(row["value"]) for row in found["offline"]] == ["inside|dana to eva"]
    assert "Eva Example" in repr(found["vcard4"])
    assert "CANARY" not in repr(found)
    hashes = [str(row["value"]) for row in server.rows("prosody") if row["key"] in ("stored_key", "salt")]
    assert len(hashes) == 12
    assert [each for each in hashes if each in repr(found)] == []


def test_somebody_of_another_host_is_nobody_here(server: Server) -> None:
    """The map of chat.example finds its own accounts alone."""
    datamap = shipped_maps()["prosody"]
    with opened(datamap, server.environment) as stores:
        for name, known in (("Eva", "eva"), (f"eva@{OTHER}", None), ("nobody", None)):
            plan = plan_for(datamap, name, server.talked.window, "subscriber.identity")
            assert resolved(plan, stores) == known


def test_the_list_of_stores_is_that_of_this_prosody() -> None:
    """A module that opens a store of another name fails here, until somebody lists it or leaves it out by name."""
    modules = needed_folder("lib/prosody/modules", "prosody")
    header = header_of("prosody")
    opened_here = {
        name
        for path in modules.rglob("*.lua")
        for name in re.findall(r"open_store\(\"(\w+)\"", path.read_text(errors="replace"))
    }
    listed = {str(dict(table.path.equals)["store"]) for table in shipped_maps()["prosody"].tables}
    assert len(opened_here) > 15
    assert [name for name in opened_here - listed if not re.search(rf"\b{name}\b", header)] == []


def _seconds(server: Server) -> tuple[int, int]:
    window = server.talked.window
    assert window.since is not None
    assert window.until is not None
    return int(window.since.timestamp()), int(window.until.timestamp())


def _body(stanza: object) -> str:
    return str(stanza).partition("<body>")[2].partition("</body>")[0]
