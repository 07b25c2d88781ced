"""The witness's folder and its commands, as the friend of a log's operator uses them."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.cli.witness import add_command, init_command
from dueprocess.errors import ConflictError, DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.tlog.policy import Witness, format_policy
from dueprocess.witness.place import (
    WitnessPlace,
    by_origin,
    create_place,
    open_place,
    parse_log_keys,
    read_log_keys,
)
from dueprocess.witness.signer import WitnessSigner
from witness.asking import ask
from witness.conftest import NAME
from witness.growing import GrowingLog


def test_a_folder_that_is_a_witness_is_never_made_one_again(place: WitnessPlace) -> None:
    """Its keys and its memory are worth more than a repeated command."""
    before = [each.read_bytes() for each in sorted(place.keys.iterdir())]
    with pytest.raises(ConflictError):
        create_place(place.folder, NAME)
    assert [each.read_bytes() for each in sorted(place.keys.iterdir())] == before


def test_init_can_be_run_again_after_an_interruption(place: WitnessPlace) -> None:
    """Keys and state that are there already stay; a folder without settings is no witness yet."""
    before = WitnessSigner.open(NAME, place.keys).vkeys
    (place.folder / "witness.toml").unlink()
    with pytest.raises(UnavailableError):
        open_place(place.folder)
    create_place(place.folder, NAME)
    assert WitnessSigner.open(NAME, place.keys).vkeys == before


@pytest.mark.parametrize(
    "name", ["", "two words", "a+b", "https://witness.example/w1", "x" * 256, "a\nb", "\x7f"]
)
def test_a_name_that_a_signature_line_cannot_carry_is_refused(quick_folder: Path, name: str) -> None:
    """Before anything is made."""
    with pytest.raises(MalformedError):
        create_place(quick_folder / "w", name)
    assert not (quick_folder / "w").exists()


@pytest.mark.parametrize("name", ["witness.example/w1", 'quo"te\\', "zeuge.example/ß", "oid/1.2.3"])
def test_a_name_survives_its_settings_file(quick_folder: Path, name: str) -> None:
    """Whatever characters it has."""
    assert create_place(quick_folder / "w", name).name == name
    assert open_place(quick_folder / "w").name == name


@pytest.mark.parametrize(
    "settings_text",
    [
        b"",
        b"name = 3",
        b'name = "w"\nport = "x"',
        b'name = "w"\nport = true',
        b'name = "w"\nport = 70000',
        b'name = "w"\nhost = 1',
        b'name = "w"\ncolour = "red"',
        b"\xff",
        b"name = ",
    ],
)
def test_unknown_and_wrong_settings_are_refused(place: WitnessPlace, settings_text: bytes) -> None:
    """A mistyped line must not be read as no line."""
    (place.folder / "witness.toml").write_bytes(settings_text)
    with pytest.raises(MalformedError):
        open_place(place.folder)


def test_keys_come_from_a_policy_file_a_list_or_a_single_key(quick_folder: Path, log: GrowingLog) -> None:
    """Both keys of the log, whichever way the operator gave them; comments are skipped, each key is kept once."""
    witness = WitnessSigner.create(NAME, quick_folder).vkeys[0]
    policy = format_policy(log.vkeys, (Witness("w", witness),), need=1)
    listed = f"# from Ana\n\n{log.vkeys[0].text}\n  {log.vkeys[1].text}\n".encode()
    assert parse_log_keys(policy) == parse_log_keys(listed) == log.vkeys
    (quick_folder / "policy.txt").write_bytes(policy)
    assert read_log_keys(str(quick_folder / "policy.txt")) == log.vkeys
    assert read_log_keys(log.vkeys[1].text) == log.vkeys[1:]
    assert by_origin((*log.vkeys, *log.vkeys)) == {log.origin: log.vkeys}


def test_a_witness_key_is_not_taken_for_a_logs(place: WitnessPlace) -> None:
    """Mixed up keys are found when they are added, not when the log is refused."""
    with pytest.raises(RefusedError, match="witness"):
        read_log_keys(WitnessSigner.open(NAME, place.keys).vkeys[0].text)


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
@settings(max_examples=150, deadline=None)
def test_any_list_of_keys_is_read_or_malformed(data: bytes) -> None:
    """Foreign bytes raise nothing else."""
    with pytest.raises((MalformedError, RefusedError)):
        parse_log_keys(data)


def test_keys_of_one_log_add_up_over_time_and_over_files(place: WitnessPlace, log: GrowingLog) -> None:
    """A log that changes its key is watched under both; a file of one's own counts too."""
    new, other = GrowingLog.new(), GrowingLog.new("log.example/other")
    place.add_logs(new.vkeys)
    (place.logs / "mine.txt").write_text(f"{other.vkeys[0].text}\n")
    assert place.read_logs() == {log.origin: (*log.vkeys, *new.vkeys), other.origin: other.vkeys[:1]}
    (place.logs / "broken.txt").write_text("nothing\n")
    with pytest.raises(MalformedError, match=r"broken\.txt"):
        place.read_logs()


def test_a_file_that_cannot_be_read_is_said(place: WitnessPlace) -> None:
    """With its name."""
    (place.logs / "x.txt").mkdir()
    with pytest.raises(UnavailableError):
        place.read_logs()
    (place.folder / "file").write_text("")
    with pytest.raises(DueprocessError):
        create_place(place.folder / "file" / "w", NAME)


def test_a_friend_makes_a_witness_adds_a_log_and_serves_it_until_told_to_stop(
    quick_folder: Path, log: GrowingLog, capsys: pytest.CaptureFixture[str]
) -> None:
    """init, add, serve in plain words; SIGTERM ends it with 0, and nothing of the server extra was loaded."""
    folder = quick_folder / "w"
    init_command(folder, name=NAME)
    said = capsys.readouterr().out
    keys = WitnessSigner.open(NAME, folder / "keys").vkeys
    assert "independent timekeeper" in said
    assert keys[0].text in said
    assert (folder / "vkeys.txt").read_text() == "".join(f"{each.text}\n" for each in keys)
    init_command(quick_folder / "w2", name="witness.example/w2", json=True)
    assert json.loads(capsys.readouterr().out)["name"] == "witness.example/w2"
    add_command(folder, log=[each.text for each in log.vkeys])
    assert f"{log.origin}, by 2 keys" in capsys.readouterr().out
    code = (
        "import sys\nfrom dueprocess.cli.witness import app\n"
        "app(sys.argv[1:], result_action='return_value')\n"
        "extra = {'django', 'pyrage', 'duckdb', 'jinja2', 'granian', 'psycopg'} & set(sys.modules)\n"
        "assert not extra, extra\n"
    )
    words = [sys.executable, "-c", code, "serve", str(folder), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        lines: list[str] = []
        while not lines or not lines[-1].startswith("Listening at "):
            lines.append(served.stdout.readline())
            assert lines[-1], served.communicate()
        url = lines[-1].split()[2]
        assert ask(url, "POST", "/add-checkpoint", log.body(0, 3)).status == 200
        served.send_signal(signal.SIGTERM)
        out, errors = served.communicate(timeout=20)
    assert (served.returncode, errors) == (0, "")
    assert "cosigned" in out
    assert "Stopped" in out
    assert "PROVEN" in "".join(lines)
