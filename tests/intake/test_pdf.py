"""A PDF is read by a child that limits itself: a bomb costs the child and a sentence."""

import contextlib
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.intake import pdf_child
from dueprocess.intake.pdf import Limits, PdfText, read_pdf

_USUAL = Limits()


def _outcome(content: bytes, limits: Limits = _USUAL) -> PdfText | MalformedError:
    """What the reader gives: pages or its one kind of refusal. Anything else fails the test."""
    try:
        return read_pdf(content, limits=limits)
    except MalformedError as error:
        return error


SMALL = Limits(memory_bytes=300 * 2**20, cpu_seconds=3, wall_seconds=8)


def test_text_comes_page_by_page(make: ModuleType) -> None:
    """Every page has its number and its words."""
    found = read_pdf(make.pdf(["first (page)", "second"], scans=1))
    assert [page.text.strip() for page in found.pages] == ["first (page)", "second", ""]
    assert [page.image for page in found.pages] == [False, False, True]
    assert found.broken_off == ""


def test_the_child_runs_isolated_and_may_not_write_or_grow() -> None:
    """Its limits are in force before it reads: no file, little memory, no second CPU minute."""
    code = (
        "import resource; from dueprocess.intake.pdf_child import _limit; _limit(2**28, 7);"
        "print([resource.getrlimit(k)[0] for k in (resource.RLIMIT_AS, resource.RLIMIT_CPU,"
        " resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE)])"
    )
    told = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str([2**28, 7, 0, 32])


def test_a_truncated_pdf_is_refused_or_partial_at_every_cut(make: ModuleType) -> None:
    """Cut anywhere, it is MalformedError or pages that really are there; never a crash."""
    whole = make.pdf(["alpha words", "beta words"])
    for cut in (9, 60, 200, len(whole) // 2, len(whole) - 150, len(whole) - 30):
        found = _outcome(whole[:cut])
        if isinstance(found, MalformedError):
            assert found.code in ("broken-pdf", "pdf-memory", "pdf-depth")
        else:
            assert all(page.text.strip() in ("", "alpha words", "beta words") for page in found.pages)


def test_a_locked_pdf_says_so(make: ModuleType) -> None:
    """Encryption with a password is named, with the advice not to take one from the same message."""
    from io import BytesIO

    from pypdf import PdfReader, PdfWriter

    for password, locked in (("secret", True), ("", False)):
        writer = PdfWriter(clone_from=PdfReader(BytesIO(make.pdf(["words"]))))
        writer.encrypt(user_password=password, owner_password="owner", algorithm="AES-256")
        out = BytesIO()
        writer.write(out)
        if not locked:
            assert "words" in read_pdf(out.getvalue()).pages[0].text
            continue
        with pytest.raises(MalformedError) as caught:
            read_pdf(out.getvalue())
        assert caught.value.code == "encrypted-pdf"
        assert "password" in caught.value.do


def _assembled(make: ModuleType, objects: list[bytes]) -> bytes:
    content: bytes = make.assemble(objects)
    return content


def _stream_bomb(make: ModuleType) -> bytes:
    """One gigabyte of drawing in a few megabytes, as the content of a page."""
    packer = zlib.compressobj(1)
    block = b"BT (x) Tj ET\n" * 80_660
    packed = b"".join(packer.compress(block) for _ in range(1024)) + packer.flush()
    return _assembled(
        make,
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R /Resources << >> >>",
            b"<< /Filter /FlateDecode /Length %d >> stream\n%s\nendstream" % (len(packed), packed),
        ],
    )


def _deep_bomb(make: ModuleType) -> bytes:
    """Arrays in arrays, fifty thousand deep."""
    return _assembled(
        make,
        [
            b"<< /Type /Catalog /Pages 2 0 R /X %s >>" % (b"[" * 50_000 + b"]" * 50_000),
            b"<< /Type /Pages /Kids [] >>",
        ],
    )


def _tree_bomb(make: ModuleType) -> bytes:
    """A page tree in which each level lists the next ten times: 10^9 pages in 1 kB."""
    levels = [
        b"<< /Type /Pages /Count 1000000000 /Kids [%s] >>" % (b"%d 0 R " % (number + 3) * 10)
        for number in range(9)
    ]
    page = b"<< /Type /Page /MediaBox [0 0 9 9] >>"
    return _assembled(make, [b"<< /Type /Catalog /Pages 2 0 R >>", *levels, page])


def _loop_bomb(make: ModuleType) -> bytes:
    """A page tree that is its own child."""
    return _assembled(
        make, [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>"]
    )


@pytest.mark.parametrize("bomb", [_stream_bomb, _deep_bomb, _tree_bomb, _loop_bomb])
def test_a_bomb_costs_the_child_and_a_sentence(make: ModuleType, bomb: Callable[[ModuleType], bytes]) -> None:
    """Memory, time and depth end the child; the caller gets MalformedError or an honest gap, in bounded time."""
    started = time.perf_counter()
    found = _outcome(bomb(make), SMALL)
    if isinstance(found, MalformedError):
        assert found.why
        assert found.do
    else:
        assert not any(page.text.strip() for page in found.pages)
        assert found.broken_off or all(page.error for page in found.pages), (
            "a bomb is not a page without words"
        )
    assert time.perf_counter() - started < 20


def test_wall_time_is_bounded(make: ModuleType) -> None:
    """A child that does not answer in time is ended, and the error says that it was time."""
    with pytest.raises(MalformedError) as caught:
        read_pdf(make.pdf(["x"]), limits=Limits(wall_seconds=0.01))
    assert caught.value.code == "pdf-limit"
    assert "longer than" in caught.value.why


def test_no_more_than_so_many_pages_are_read(make: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages beyond the limit are named, not dropped in silence."""
    found = read_pdf(make.pdf(["x"] * 505))
    assert len(found.pages) == pdf_child.MAX_PAGES
    assert "this one has 505" in found.broken_off


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300))
def test_random_bytes_give_malformed_or_pages(tail: bytes) -> None:
    """Whatever follows the magic, only MalformedError leaves the reader."""
    assert isinstance(_outcome(b"%PDF-1.7\n" + tail), PdfText | MalformedError)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 900), value=st.integers(0, 255))
def test_a_flipped_byte_never_crashes_the_child(
    make: ModuleType, capsys: pytest.CaptureFixture[str], at: int, value: int
) -> None:
    """In process: the child's own reading of a damaged file ends in lines or in an exception that main names."""
    content = bytearray(make.pdf(["alpha words"]))
    content[at % len(content)] = value
    with contextlib.suppress(Exception):  # main turns each of these into a line
        pdf_child.read(bytes(content))
    assert all(line.startswith("{") for line in capsys.readouterr().out.splitlines())


def test_time_that_runs_out_keeps_the_pages_read_and_names_the_place(make: ModuleType) -> None:
    """A child ended half way leaves what it read, and says after which page it stopped."""
    found = read_pdf(make.pdf(["x " * 60_000] * 200), limits=Limits(cpu_seconds=1))
    assert 0 < len(found.pages) < 200
    assert "processor time" in found.broken_off


def test_memory_that_runs_out_is_a_sentence(make: ModuleType) -> None:
    """A child without memory ends; the caller is told, and lives."""
    with pytest.raises(MalformedError) as caught:
        read_pdf(make.pdf(["x"]), limits=Limits(memory_bytes=24 * 2**20))
    assert caught.value.code in ("pdf-limit", "pdf-memory")
