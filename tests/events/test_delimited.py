"""Delimited text: what a writer wrote is read back, and every row that is none is named by its real line."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mutua.errors import UnreadableFile
from mutua.events.readers.delimited import LONGEST_ROW, Delimited, quoted_fields

COLUMNS = ("user", "item", "value")
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=6)


def read(reader: Delimited, path: Path) -> tuple[list[tuple[int, tuple[str, ...]]], list[tuple[int, str, str]]]:
    """Returns (line, fields) of the rows and (line, code, raw) of the others."""
    rows, unread = [], []
    for table in reader(path):
        assert [table.raw(at) for at in range(table.frame.height)] or not table.frame.height
        fields = [tuple(cell or "" for cell in row) for row in table.frame.rows()]
        rows += list(zip(table.lines.tolist(), fields, strict=True))
        unread += [(one.line, one.error.code, one.raw) for one in table.unread]
    return rows, unread


@given(st.lists(st.tuples(cells, cells, cells), max_size=12), st.sampled_from([1, 7, 64, 1 << 20]), st.booleans())
def test_what_csv_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str, str]], block: int, crlf: bool
) -> None:
    path = tmp_path_factory.mktemp("csv") / "file.csv"
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n" if crlf else "\n").writerows([COLUMNS, *table])
    path.write_bytes(text.getvalue().encode())
    rows, unread = read(Delimited(COLUMNS, block=block), path)
    assert not unread
    assert [fields for _, fields in rows] == table
    lines, at = [], 2
    for row in table:
        lines.append(at)
        at += 1 + sum(cell.count("\n") for cell in row)
    assert [line for line, _ in rows] == lines


BAD = (
    b"user,item,value\n"
    b"1,2,3\n"
    b'1,"abc,3\n'
    b'2,"de""f",4\n'
    b'3,"two\nlines",5\n'
    b"\n"
    b"4,5\n"
    b"5,6,7,8\n"
    b"\xff,1,2\n"
    b'"a"b,1,2\n'
    b'5" pipe,6,7\n'
    b"6,\x00,7\n"
    b"7,8,9\r\n"
    b'8,"open'
)


@pytest.mark.parametrize("block", [1, 3, 16, 1 << 20])
def test_bad_rows_are_named_by_line_and_the_rest_is_kept(tmp_path: Path, block: int) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(BAD)
    rows, unread = read(Delimited(COLUMNS, block=block), path)
    assert rows == [
        (2, ("1", "2", "3")),
        (4, ("2", 'de"f', "4")),
        (5, ("3", "two\nlines", "5")),
        (12, ('5" pipe', "6", "7")),
        (14, ("7", "8", "9")),
    ]
    assert unread == [
        (3, "row.invalid", '1,"abc,3'),
        (8, "row.invalid", "4,5"),
        (9, "row.invalid", "5,6,7,8"),
        (10, "row.invalid", "\ufffd,1,2"),
        (11, "row.invalid", '"a"b,1,2'),
        (13, "row.invalid", "6,\ufffd,7"),
        (15, "row.invalid", '8,"open'),
    ]


def test_an_unbalanced_quote_does_not_swallow_the_file(tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    good = [f"{row},i{row},1" for row in range(20_000)]
    path.write_text("\n".join(["user,item,value", '0,"open,1', *good]))
    rows, unread = read(Delimited(COLUMNS), path)
    assert len(rows) == 20_000
    assert [(line, code) for line, code, _ in unread] == [(2, "row.invalid")]


@pytest.mark.parametrize("block", [4_096, 1 << 23])
def test_an_endless_line_is_one_refused_row(tmp_path: Path, block: int) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"user,item,value\n1,2,3\n4," + b"x" * (2 * LONGEST_ROW) + b",5\n6,7,8\n")
    rows, unread = read(Delimited(COLUMNS, block=block), path)
    assert rows == [(2, ("1", "2", "3")), (4, ("6", "7", "8"))]
    assert [(line, code, len(raw)) for line, code, raw in unread] == [(3, "input.too-large", 4_096)]


def test_gzip_latin_1_double_colons_and_a_byte_order_mark(tmp_path: Path) -> None:
    movies = tmp_path / "movies.dat.gz"
    movies.write_bytes(gzip.compress("1::Misérables, Les::Drama\n2::Heat: a film::Crime\n3::x\n".encode("latin-1")))
    rows, unread = read(Delimited(("m", "t", "g"), "::", "", 0, "latin-1", block=5), movies)
    assert [fields for _, fields in rows] == [("1", "Misérables, Les", "Drama"), ("2", "Heat: a film", "Crime")]
    assert unread == [(3, "row.invalid", "3::x")]
    marked = tmp_path / "marked.csv"
    marked.write_bytes(b"\xef\xbb\xbfa\n1\n")
    assert read(Delimited(("a",), header=0), marked)[0] == [(1, ("a",)), (2, ("1",))]


def test_files_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    wide = tmp_path / "wide.csv"
    wide.write_bytes("user,item\n1,2\n".encode("utf-16"))
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(gzip.compress(b"1,2,3\n" * 1_000)[:-20])
    for path in (wide, cut, tmp_path / "missing.csv"):
        with pytest.raises(UnreadableFile):
            read(Delimited(COLUMNS), path)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=3))
def test_quoted_fields_agree_with_csv(table: list[tuple[str, str, str]]) -> None:
    for row in table:
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(row)
        assert tuple(quoted_fields(text.getvalue(), ",", '"')) == row
