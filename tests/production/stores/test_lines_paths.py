"""Log lines over several steps: a key that leads from line to line, targets, and what a check of the map asks."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.plan import (
    Hop,
    LinesTable,
    TargetQuery,
    TargetRoute,
)
from dueprocess.production.stores import Stores, open_store
from dueprocess.production.stores.lines import LinesStore
from production.stores.linelogs import QUEUED, STEPS, TABLES, asked, incomplete, read, store, write

HOP = (Hop("queued", "key", "key"),)


def test_lines_are_found_over_a_key(tmp_path: Path) -> None:
    """To whom the subject's messages went, and nobody else's; the key may stand in another file."""
    write(
        tmp_path,
        "2026-08-31T23:59:00Z queued K1 by eva",
        "2026-09-01T00:00:00Z queued K2 by dana",
        name="app.log.1",
    )
    write(
        tmp_path,
        "2026-09-01T00:00:01Z sent K1 to boris",
        "2026-09-01T00:00:01Z sent K2 to CANARY-OTHER",
        "2026-10-01T00:00:01Z sent K1 to CANARY-LATE",
        "2026-09-02T00:00:00Z queued K3",
        "2026-09-02T00:00:01Z sent K3 to CANARY-NOBODY",
    )
    found = read(store(tmp_path), asked("sent", "recipient", hops=HOP))
    assert found == [{"recipient": "boris"}]


@pytest.mark.parametrize(
    "other", ["2026-03-01T00:00:00Z queued K1 by dana", "2026-03-01T00:00:00Z queued K1"]
)
def test_a_key_that_was_somebody_else_s_too_is_not_answered_from(tmp_path: Path, other: str) -> None:
    """Its lines are left out and counted, whoever the other is; the rest of the answer stands."""
    write(tmp_path, other, name="app.log.1")
    write(
        tmp_path,
        "2026-09-01T00:00:00Z queued K1 by eva",
        "2026-09-01T00:00:00Z queued K2 by eva",
        "2026-09-01T00:00:01Z sent K1 to CANARY",
        "2026-09-01T00:00:01Z sent K2 to boris",
        "2026-03-01T00:00:01Z sent K1 to CANARY",
    )
    found, why = incomplete(store(tmp_path), asked("sent", "recipient", hops=HOP))
    assert found == [{"recipient": "boris"}]
    assert "1 lines carry a key that may belong to another account" in why


def test_two_hops_and_a_time_on_the_way(tmp_path: Path) -> None:
    """From a step over the message to the sender; the window cuts by the message's time."""
    write(
        tmp_path,
        "2026-09-01T00:00:00Z queued K1 by eva",
        "2026-10-01T00:00:00Z queued K2 by eva",
        "2026-09-01T00:00:00Z queued K3 by dana",
        *(f"2026-12-01T00:00:00Z sent K{n} to R{n}" for n in (1, 2, 3)),
        *(f"2026-12-02T00:00:00Z step part{n} of R{n}" for n in (1, 2, 3)),
    )
    received = LinesTable(
        "logs", "sent", "app.log*", r"(?P<time>\S+) sent (?P<key>\w+) to (?P<to>\S+)", "rfc3339"
    )
    lines = store(tmp_path, QUEUED, received, STEPS)
    hops = (Hop("sent", "key", "to"), Hop("queued", "key", "key"))
    found = read(lines, asked("steps", "part", hops=hops, timed="queued"))
    assert found == [{"part": "part1"}]
    write(tmp_path, "2026-09-09T00:00:00Z sent K3 to R1", name="app.log.1")
    assert "1 lines carry a key" in incomplete(lines, asked("steps", "part", hops=hops, timed="queued"))[1]


def test_a_key_with_two_times_is_in_doubt_where_its_time_counts(tmp_path: Path) -> None:
    """Which of them a line belongs to is not known; where the line has its own time, it does not matter."""
    write(
        tmp_path,
        "2026-09-01T00:00:00Z queued K1 by eva",
        "2026-11-01T00:00:00Z queued K1 by eva",
        "2026-09-01T00:00:01Z sent K1 to boris",
    )
    assert len(read(store(tmp_path), asked("sent", "recipient", hops=HOP))) == 1
    assert incomplete(store(tmp_path), asked("sent", "recipient", hops=HOP, timed="queued"))[0] == []


# -- targets and questions about columns ------------------------------------------------------------------


USERS = LinesTable(
    "logs", "accounts", "users", r"(?P<user>[^:]+):[^:]*:(?P<mail>[^:]*)(?::(?P<left>\w+))?", None
)


def target(value: str, **more: Any) -> TargetQuery:
    return TargetQuery(TargetRoute("account", "logs", "accounts", "mail", "user", **more), value)


def test_a_target_leads_to_one_line(tmp_path: Path) -> None:
    """By equality, or without regard to case; nobody is None; two are refused without a number."""
    write(
        tmp_path,
        "eva:x:Eva@Mail.example",
        "dana:x:dana@mail.example",
        "old:x:dana@mail.example:gone",
        name="users",
    )
    lines = store(tmp_path, USERS)
    assert lines.resolve(target("Eva@Mail.example")) == "eva"
    assert lines.resolve(target("eva@mail.example")) is None
    assert lines.resolve(target("eva@mail.example", compare="ignore_case")) == "eva"
    assert lines.resolve(target("dana@mail.example", absent=("left",))) == "dana"
    assert lines.resolve(target("dana@mail.example", equals=(("left", "gone"),))) == "old"
    with pytest.raises(RefusedError) as caught:
        lines.resolve(target("dana@mail.example"))
    assert caught.value.code == "ambiguous-target"


def test_a_target_is_not_answered_from_half_a_file(tmp_path: Path) -> None:
    """The other half could hold the account, or a second one."""
    (tmp_path / "users").write_text("eva:x:e@mail.example\ndana:x:d@mail")
    for name in ("e@mail.example", "d@mail.example"):
        with pytest.raises(UnavailableError):
            store(tmp_path, USERS).resolve(target(name))


def test_a_subject_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    """Neither a number from another store nor a group that did not take part."""
    write(tmp_path, "eva:x:e@mail.example", name="users")
    route = TargetRoute("account", "logs", "accounts", "mail", "left")
    with pytest.raises(UnavailableError):
        store(tmp_path, USERS).resolve(TargetQuery(route, "e@mail.example"))
    with pytest.raises(UnavailableError):
        next(store(tmp_path).batches(asked("logins", "address"), 7))


def test_what_a_check_of_the_map_asks(tmp_path: Path) -> None:
    """Groups as columns, doubled values, and whether a column names accounts."""
    write(tmp_path, "2026-09-05T00:00:00Z login eva x", "2026-09-05T00:00:00Z login eva y")
    write(tmp_path, "eva:x:e@mail.example", name="users")
    lines = store(tmp_path, *TABLES, USERS)
    kinds = {name: facts.kind for name, facts in lines.columns("logins").items()}
    assert kinds == {"time": "timestamp with time zone", "user": "text", "address": "text", "role": "text"}
    assert lines.columns("nothing") == {}
    assert (lines.has_twice("logins", "user"), lines.has_twice("logins", "address")) == (True, False)
    assert lines.meets("logins", "user", "accounts", "user")
    assert not lines.meets("logins", "address", "accounts", "user")
    assert lines.meets("logins", "role", "accounts", "user")
    for table, column in (("logins", "nothing"), ("nothing", "user")):
        with pytest.raises(UnavailableError) as caught:
            lines.has_twice(table, column)
        assert caught.value.code == "map-drift"
    assert "user is the account" in lines.text(asked("logins", "address"))
    assert "\n" not in lines.text(asked("sent", "recipient", hops=HOP))


def test_the_store_opens_by_its_connection_string(tmp_path: Path) -> None:
    """A folder that is not there is an error when it is opened."""
    lines = open_store("logs", f"lines:///{tmp_path}", lines=TABLES)
    assert isinstance(lines, LinesStore)
    with pytest.raises(UnavailableError):
        open_store("logs", f"lines:///{tmp_path}/nowhere", lines=TABLES)
    Stores({"logs": lines}, {}, {}).close()


# -- nothing that anybody writes into a log breaks it -----------------------------------------------------


@given(noise=st.lists(st.binary(max_size=60), max_size=12))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_between_lines_takes_none_away_and_adds_none(tmp_path: Path, noise: list[bytes]) -> None:
    """Whatever bytes stand between two lines of the subject, both come out, and nothing of another account's."""
    good = b"2026-09-05T00:00:00Z login eva 192.0.2.1"
    other = b"2026-09-05T00:00:00Z login dana CANARY"
    (tmp_path / "app.log").write_bytes(b"\n".join([good, *noise, other, good]) + b"\n")
    found = read(store(tmp_path), asked("logins", "address"))
    assert [row["address"] for row in found].count("192.0.2.1") == 2
    assert "CANARY" not in repr(found)


def test_an_account_of_many_lines_takes_bounded_memory(tmp_path: Path) -> None:
    """Of a log of 120 MB, one account's few lines are read in little memory."""
    with (tmp_path / "app.log").open("w") as log:
        for n in range(60):
            log.write(f"2026-09-05T00:00:{n:02}Z login dana {'x' * 80}\n" * 18_000)
            log.write(f"2026-09-05T00:00:{n:02}Z login eva y\n")
    program = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from linelogs import asked, read, store
lines = store(Path({str(tmp_path)!r}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert len(read(lines, asked("logins", "address"))) == 60
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert int(out.stdout) < 30_000
