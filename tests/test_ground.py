"""The ground is pure: an allow-list over the syntax of every module of its rooms. A deny-list forgets; this cannot.

import-linter forbids what it is told to forbid. Here nothing is allowed but what is named, and the test is shown
to bite on planted sources.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dueprocess

HOUSE = Path(dueprocess.__file__).parent
ROOMS = ("errors", "wire", "tlog", "parcel", "demand", "law", "plan", "roster", "cases", "report", "audit")
OURS = frozenset(f"dueprocess.{room}" for room in ROOMS)
STANDARD = frozenset({
    "abc", "base64", "binascii", "bisect", "collections", "csv", "dataclasses", "datetime", "decimal", "enum",
    "functools", "hashlib", "hmac", "html", "ipaddress", "itertools", "json", "math", "operator", "re", "string",
    "struct", "textwrap", "tomllib", "types", "typing", "unicodedata", "zoneinfo",
})  # fmt: skip
FOREIGN = frozenset({"rfc8785"})
VERIFYING = frozenset({
    "cryptography.exceptions.InvalidSignature",
    "cryptography.exceptions.UnsupportedAlgorithm",
    "cryptography.hazmat.primitives.asymmetric.ed25519.Ed25519PublicKey",
    "cryptography.hazmat.primitives.asymmetric.mldsa.MLDSA44PublicKey",
})  # fmt: skip
"""Public keys and their errors: the ground checks signatures and never makes one."""

MEMORY = frozenset({"io", "io.StringIO", "io.BytesIO"})
"""Of `io` only what stays in memory; how the module itself is used is looked at apart."""

CALLS = frozenset(
    {"open", "eval", "exec", "compile", "__import__", "input", "print", "breakpoint", "globals", "vars"}
)
CLOCKS = frozenset({"now", "today", "utcnow"})
"""Asking the time is not computing with it: `now` is an argument."""


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of each import, `from a import b` as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{home}.{each.name}") for each in node.names)


def _allowed(name: str) -> bool:
    if name.startswith("dueprocess."):
        return ".".join(name.split(".")[:2]) in OURS
    return name in VERIFYING | MEMORY or name.split(".", maxsplit=1)[0] in STANDARD | FOREIGN


def _asks_the_clock(node: ast.AST) -> bool:
    """`x.now`, `x.today` of anything that speaks of dates: `dt.datetime.now`, `datetime.today`, `date.today`."""
    if not isinstance(node, ast.Attribute) or node.attr not in CLOCKS:
        return False
    return any(word in ast.unparse(node.value).split(".") for word in ("dt", "datetime", "date"))


def _leaves_memory(tree: ast.AST) -> Iterator[str]:
    """Each use of the module `io` other than for a buffer in memory."""
    buffers = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and f"io.{node.attr}" in MEMORY
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "io" and id(node) not in buffers:
            yield f"line {node.lineno} uses io for more than memory"
        elif isinstance(node, ast.Import) and any(each.name == "io" and each.asname for each in node.names):
            yield f"line {node.lineno} hides io behind another name"


def faults(source: str) -> list[str]:
    """What a module of the ground may not do, one line each; empty where it is pure."""
    tree = ast.parse(source)
    found = [f"line {line} imports {name}" for line, name in _imports(tree) if not _allowed(name)]
    found += _leaves_memory(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in CALLS:
            found.append(f"line {node.lineno} names {node.id}")
        elif _asks_the_clock(node):
            found.append(f"line {getattr(node, 'lineno', 0)} asks the clock: {ast.unparse(node)}")
    return found


MODULES = sorted(path for room in ROOMS for path in (HOUSE / room).rglob("*.py"))


def test_every_room_of_the_ground_is_looked_at() -> None:
    """A renamed room would silently leave the list."""
    assert {path.relative_to(HOUSE).parts[0] for path in MODULES} == set(ROOMS)
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_module_of_the_ground_is_pure(path: Path) -> None:
    """It imports only what is on the list, opens nothing, evaluates nothing and asks no clock."""
    assert faults(path.read_text(encoding="utf-8")) == []


PLANTED = [
    "import os",
    "import os.path",
    "import time",
    "import random",
    "import secrets",
    "import uuid",
    "import tempfile",
    "import asyncio",
    "import socket",
    "import sqlite3",
    "import importlib",
    "import zipfile",
    "import io as quiet",
    "import io\nio.open('x')",
    "import io\nio.FileIO('x')",
    "import io\nmine = io",
    "import django",
    "import pathlib as math",
    "import json, os",
    "import cryptography",
    "import dueprocess.vault",
    "import urllib.request",
    "from pathlib import Path",
    "from io import open",
    "from io import FileIO",
    "from urllib.parse import quote",
    "from importlib import import_module",
    "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey",
    "from cryptography.hazmat.primitives.ciphers import Cipher",
    "from dueprocess import vault",
    "from dueprocess.history import append",
    "from dueprocess import *",
    "from . import neighbour",
    "def late():\n    import os",
    "if True:\n    try:\n        import os\n    except ImportError:\n        pass",
    "open('x')",
    "read = open",
    "__import__('os')",
    "eval('1')",
    "exec('1')",
    "print('x')",
    "import datetime as dt\nstarted = dt.datetime.now()",
    "import datetime as dt\nstarted = dt.datetime.now(dt.UTC)",
    "import datetime as dt\nclock = dt.datetime.utcnow",
    "import datetime as dt\nstarted = dt.date.today()",
    "from datetime import datetime\nstarted = datetime.now()",
    "from datetime import date\nstarted = date.today()",
]


@pytest.mark.parametrize("source", PLANTED)
def test_the_list_bites(source: str) -> None:
    """Each planted source is reported: a clock, a disk, a network, randomness, a framework, a private key."""
    assert faults(source)


@pytest.mark.parametrize(
    "source",
    [
        "import json, re",
        "import io\nrows = io.StringIO()",
        "from io import BytesIO, StringIO",
        "from collections.abc import Mapping",
        "from dueprocess.wire import canonical",
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey",
        "def check(facts):\n    return facts.now",
        "def reopen(case):\n    return case.open",
    ],
)
def test_the_list_lets_pure_code_be(source: str) -> None:
    """It reports what is impure, not what merely reads like it."""
    assert faults(source) == []
