"""`datamap check`: a map beside the live stores it names."""

import os
from pathlib import Path

from dueprocess.plan import DataMap
from dueprocess.production.environment import read_environment
from dueprocess.production.mapcheck import Finding, check_map
from dueprocess.production.stores import open_stores


def check_live(datamap: DataMap, environment: Path | None) -> list[Finding]:
    """Every difference between a map and the live stores, opened read-only with the worker's credentials."""
    process = dict(os.environ)
    values = read_environment(environment, process) if environment is not None else process
    stores = open_stores(datamap, values)
    try:
        return check_map(datamap, stores)
    finally:
        stores.close()
