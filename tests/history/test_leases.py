"""Leases: one holder at a time, said by name; whoever died holds nothing."""

import datetime as dt
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from dueprocess.errors import ConflictError, UnavailableError
from dueprocess.history import connection, leases
from dueprocess.history.models import LeaseRow
from dueprocess.wire import instant

NOW = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
NAMES = ("target c1:t1", "store main")


def clock() -> dt.datetime:
    return NOW


def elsewhere(address: str, body: str) -> subprocess.CompletedProcess[str]:
    """Runs a few lines in another program, which has opened the same store."""
    begin = f"""
        import datetime as dt, os, signal, sys
        from dueprocess.history import connection, leases
        connection.use({address!r})
        NOW = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
    """
    program = textwrap.dedent(begin) + textwrap.dedent(body)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_a_lease_has_one_holder_and_is_given_back(store: str) -> None:
    """A second program is told who has it and since when; afterwards it is free, and nothing is left in the table."""
    claim = """
        from dueprocess.errors import ConflictError
        try:
            with leases.leased(["store main", "store other"], lambda: NOW):
                print("got it")
        except ConflictError as error:
            print(error.code, error.what)
    """
    with leases.leased(NAMES, clock):
        said = elsewhere(store, claim)
        assert said.stdout.startswith("leased Somebody works on store main already: program "), said
        assert f"program {os.getpid()} on " in said.stdout
        assert "since 2026-11-22T09:30:00Z" in said.stdout
        assert set(leases.holders()) == set(NAMES)  # all or none: `store other` was not kept
    assert leases.holders() == {}
    assert LeaseRow.objects.count() == 0
    assert elsewhere(store, claim).stdout == "got it\n"


def test_a_program_that_was_killed_holds_nothing(store: str) -> None:
    """On this machine its lease ends at once, though it would last for two minutes more."""
    said = elsewhere(
        store,
        """
        with leases.leased(["store main"], lambda: NOW):
            os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    assert said.returncode == -9
    (left,) = leases.holders().values()
    assert left.gone
    with leases.leased(["store main"], clock) as held:
        held.check()


def test_a_lease_that_could_not_be_given_back_is_not_in_our_own_way(store: str) -> None:
    """A full disk kept the row: the same program may have it again at once, but not while it holds it."""
    holder = leases.this_program(NOW)
    LeaseRow.objects.create(name="store main", holder=holder.text(), until=instant(NOW + leases.LASTS))
    with (
        leases.leased(["store main"], clock),
        pytest.raises(ConflictError),
        leases.leased(["store main"], clock),
    ):
        pytest.fail("one program has the same lease twice")


def test_a_lease_from_elsewhere_ends_by_its_time(store: str) -> None:
    """Whether a program on another machine still runs nobody knows here: its lease is waited for, and no longer."""
    other = leases.Holder(NOW, os.getpid(), "1", "elsewhere", "host.example")
    LeaseRow.objects.create(name="store main", holder=other.text(), until=instant(NOW + leases.LASTS))
    with (
        pytest.raises(ConflictError, match=r"on host\.example since 2026-11-22T09:30:00Z"),
        leases.leased(["store main"], clock),
    ):
        pytest.fail("two programs have one lease")
    with leases.leased(["store main"], lambda: NOW + leases.LASTS):
        assert leases.holders()["store main"].pid == os.getpid()


def test_a_lease_is_prolonged_while_its_holder_works(store: str) -> None:
    """A thread does it, with the clock that it was given; who finds its lease taken may not go on."""
    beaten, now = threading.Event(), [NOW]

    def ticking() -> dt.datetime:
        now[0] += dt.timedelta(seconds=30)
        if now[0] > NOW + dt.timedelta(minutes=2):
            beaten.set()
        return now[0]

    with leases.leased(["store main"], ticking, beat=0.01) as held:
        assert beaten.wait(10)
        held.prolong(ticking())
        assert LeaseRow.objects.get().until > instant(NOW + leases.LASTS)
        held.check()
        LeaseRow.objects.update(holder="somebody else")
        held.prolong(ticking())
        with pytest.raises(ConflictError) as caught:
            held.check()
        assert caught.value.code == "lease-lost"
    assert LeaseRow.objects.get().holder == "somebody else"  # what is not ours is not given back


def test_a_database_that_takes_nothing_is_unavailable(store: str, tmp_path: Path) -> None:
    """No lease, no work: said as for every other write."""
    connection.use(f"sqlite:{tmp_path / 'no' / 'such.db'}")
    with pytest.raises(UnavailableError) as caught, leases.leased(["store main"], clock):
        pytest.fail("begun without a lease")
    assert caught.value.code == "store-unavailable"


def test_two_programs_that_ask_at_once_get_it_once(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many programs at the same moment: there is never more than one inside."""
    body = """
        import time
        from dueprocess.errors import DueprocessError
        got = 0
        for _ in range(15):
            try:
                with leases.leased(["store main"], lambda: NOW):
                    path = os.environ["LEASE_FLAG"]
                    number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
                    time.sleep(0.005)
                    os.unlink(path)
                    os.close(number)
                    got += 1
            except DueprocessError:
                time.sleep(0.005)
        print(got)
    """
    monkeypatch.setenv("LEASE_FLAG", str(tmp_path / "inside"))
    found = list[subprocess.CompletedProcess[str]]()
    threads = [threading.Thread(target=lambda: found.append(elsewhere(store, body))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.stderr for each in found] == [""] * 3
    assert sum(int(each.stdout) for each in found) > 3
    assert LeaseRow.objects.count() == 0


def test_a_holders_text_is_short_and_comes_back() -> None:
    """It fits into its column, whatever the machine is called; another text is no holder."""
    holder = leases.this_program(NOW)
    assert leases.Holder.of(holder.text()) == holder
    assert not holder.gone
    longest = leases.Holder(NOW, 4_194_304, "9" * 10, "a" * 8, "h" * 63)
    assert len(longest.text()) == 64
    assert leases.Holder.of("") is None
    assert leases.Holder.of("a b c d e") is None
