"""The shipped map against the schema that Matrix Synapse itself makes. A missing Synapse fails."""

import subprocess
from pathlib import Path

import pytest

from dueprocess.library.datamaps import shipped_maps
from dueprocess.production.mapcheck import check_map
from dueprocess.production.stores import open_stores

pytestmark = pytest.mark.conformance
ROOT = Path(__file__).resolve().parents[2]


def synapse(*command: str, folder: Path) -> None:
    program = ROOT / ".venv-synapse" / "bin" / command[0]
    if not program.exists():
        pytest.fail(f"{command[0]} is missing: run tools/setup.py synapse")
    done = subprocess.run([str(program), *command[1:]], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]


def test_the_synapse_map_fits_what_synapse_makes(tmp_path: Path) -> None:
    """No error on a fresh database: every table and column is there, targets and paths are unique."""
    where = ["--server-name", "host.example", "--report-stats", "no"]
    module = ["-m", "synapse.app.homeserver", "--config-path", "hs.yaml", "--data-directory", "."]
    synapse("python", *module, "--generate-config", *where, folder=tmp_path)
    synapse("update_synapse_database", "--database-config", "hs.yaml", folder=tmp_path)
    (database,) = tmp_path.glob("**/homeserver.db")
    (tmp_path / "media_store").mkdir(exist_ok=True)
    datamap = shipped_maps()["synapse"]
    addresses = {"SYNAPSE_DSN": f"sqlite:///{database}", "SYNAPSE_MEDIA": f"file:///{tmp_path}/media_store"}
    stores = open_stores(datamap, addresses)
    try:
        findings = check_map(datamap, stores)
    finally:
        stores.close()
    assert [finding for finding in findings if finding.severity == "error"] == []
    unlisted = {(each.table, each.column) for each in findings if each.code == "unlisted-column"}
    assert ("users", "password_hash") in unlisted
    assert ("user_ips", "access_token") in unlisted
