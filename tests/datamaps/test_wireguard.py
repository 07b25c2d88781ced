"""The map of a WireGuard host, over what `wg show all dump` wrote and the awk in the map's head makes of it."""

import datetime as dt
import re
import subprocess
from pathlib import Path

import pytest

from datamaps.headers import header_of
from datamaps.reading import errors, opened, plan_for, produced, resolved
from datamaps.servers import needed
from dueprocess.demand import Period
from dueprocess.errors import RefusedError
from dueprocess.library.datamaps import shipped_maps
from dueprocess.plan import DataMap

DATA = Path(__file__).parent / "data"
HANDSHAKE = 1795361498
AT = dt.datetime.fromtimestamp(HANDSHAKE, dt.UTC)
SECOND = dt.timedelta(seconds=1)
WINDOW = Period(AT, AT + SECOND)

CONFIG = """[Interface]
PrivateKey = CANARY-PRIVATE
Address = 10.8.0.1/24

[Peer]
# Name = eva
PublicKey = JVP+NELrmCbhQUuc5Yv2XoiRXxcFtCpw6zLeC1JQDl8=
PresharedKey = CANARY-PRESHARED
AllowedIPs = 10.8.0.2/32,fd00:8::2/128

[Peer]
PublicKey = 2xA9e6vU5vshtgLs9Xcyi4yhnSG8jXuN5QzBXklnwUA=
AllowedIPs = 10.8.0.4/32

[Peer]
# Name = dana
AllowedIPs = 10.8.0.3/32
PublicKey = DAqEKV1gPs6bRlOg0djsTZ3fgKKynejufDTx88XuTiI=
"""


def wireguard() -> DataMap:
    return shipped_maps()["wireguard"]


def scripts() -> tuple[str, str]:
    """The two programs of awk in the map's head: for snapshots, and for peers."""
    snapshot, peers = re.findall(r"awk [^\n]*?'([^'\n]+)'(?: >>| /etc)", header_of("wireguard"))
    return snapshot, peers


def awk(program: str, text: str, *options: str) -> str:
    command = [needed("awk", "mawk"), *options, "-v", "OFS=\t", program]
    return subprocess.run(command, input=text, check=True, capture_output=True, text=True).stdout


def snapshot(taken: int, dump: str) -> str:
    return awk(scripts()[0], dump, "-F", "\t", "-v", f"now={taken}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three snapshots: before, at and after the handshake of the window."""
    dump = (DATA / "wg-dump.txt").read_text()
    early, late = (dump.replace(str(HANDSHAKE), str(HANDSHAKE + step)) for step in (-1, 1))
    early, late = (each.replace("127.0.0.1:37814", "198.51.100.9:1") for each in (early, late))
    (tmp_path / "handshakes.log.1").write_text(snapshot(HANDSHAKE, early))
    text = snapshot(HANDSHAKE + 2, dump) + snapshot(HANDSHAKE + 300, dump) + snapshot(HANDSHAKE + 600, late)
    (tmp_path / "handshakes.log").write_text(text)
    (tmp_path / "peers").write_text(awk(scripts()[1], CONFIG))
    return tmp_path


def where(folder: Path) -> dict[str, str]:
    return {"VPN_FILES": f"lines:///{folder}"}


def test_no_key_reaches_the_disk(folder: Path) -> None:
    """What the head tells the operator to write holds names, public keys, addresses and counters alone."""
    text = "".join(path.read_text() for path in folder.iterdir())
    assert "CANARY" not in text
    assert text.count("\n") == 4 * 2 + 2
    assert (folder / "peers").read_text().splitlines() == [
        "eva\tJVP+NELrmCbhQUuc5Yv2XoiRXxcFtCpw6zLeC1JQDl8=\t10.8.0.2/32,fd00:8::2/128",
        "dana\tDAqEKV1gPs6bRlOg0djsTZ3fgKKynejufDTx88XuTiI=\t10.8.0.3/32",
    ]


def test_a_peer_and_its_handshakes_in_the_window(folder: Path) -> None:
    """Exactly Eva's, by the time of the handshake and not of the snapshot."""
    assert errors(wireguard(), where(folder)) == []
    with opened(wireguard(), where(folder)) as stores:
        found = produced(plan_for(wireguard(), "eva", WINDOW), stores)
    assert [row["name"] for row in found["peers"]] == ["eva"]
    assert [(row["taken_at"], row["endpoint"]) for row in found["handshakes"]] == [
        (str(HANDSHAKE + 2), "127.0.0.1:37814"),
        (str(HANDSHAKE + 300), "127.0.0.1:37814"),
    ]
    assert "198.51.100.9" not in repr(found)
    assert "DAqEKV" not in repr(found)


def test_nothing_held_is_the_answer_for_an_account_without_handshakes(folder: Path) -> None:
    """A window in which nobody was there, and a name that is not here."""
    never = Period(AT - 9 * SECOND, AT - 5 * SECOND)
    with opened(wireguard(), where(folder)) as stores:
        assert produced(plan_for(wireguard(), "eva", never, "session.times"), stores) == {"handshakes": []}
        assert resolved(plan_for(wireguard(), "Eva", WINDOW), stores) is None


def test_an_address_at_a_time_leads_to_nobody() -> None:
    """All peers share the host's address, and no log says whose an inner address was: there is no such route."""
    with pytest.raises(RefusedError) as caught:
        plan_for(wireguard(), "192.0.2.1 2026-11-22T15:31:38Z", WINDOW, kind="ip_at_time")
    assert caught.value.code == "no-route"
