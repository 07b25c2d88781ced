"""Papers for the tests of this room: built by hand or published; never fetched."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def make() -> ModuleType:
    """The builder of example mails and PDFs, ``make_mail.py`` beside this file."""
    spec = importlib.util.spec_from_file_location("make_mail", Path(__file__).with_name("make_mail.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def mails() -> Path:
    return ROOT / "examples" / "mail"


@pytest.fixture(scope="session")
def letters() -> Path:
    return ROOT / "examples" / "nsl"
