"""Every format that is recognised, read as interactions, users or items."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest

from mutua.core.clock import SECOND, parse_time
from mutua.errors import MissingColumn, UnreadableFile, UsageError
from mutua.events.attributes import AttributeMapping, ToUpserts, map_attributes
from mutua.events.columns import ToInteractions
from mutua.events.mapping import Mapping
from mutua.events.readers.formats import Source, open_sources
from mutua.events.readers.movielens import GENRES
from mutua.events.times import clock_of

NOW = parse_time("2026-03-01T12:00:00Z")
RATING = {"user": "1", "item": "31", "type": "rating", "value": 2.5, "time": 1_260_759_144 * SECOND}


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def opened(path: Path, mapping: str = "", role: str = "") -> Source:
    (source,) = open_sources(path, mapping=mapping, role=role)
    return source


def frame_of(source: Source) -> pl.DataFrame:
    """Returns all that a source holds, in outer ids."""
    pieces, rows = [], 0
    for table in source.reader(source.path):
        if isinstance(source.mapping, Mapping):
            time = source.mapping.time
            clock = clock_of(table.frame[time.name], time.unit) if time else None
            batch = ToInteractions(source.mapping, clock, NOW, "file")(table, rows)
        else:
            assert source.mapping is not None
            clock = clock_of(table.frame[source.mapping.time]) if source.mapping.time else None
            batch = ToUpserts(source.mapping.known(table.frame), clock, NOW, "file")(table, rows)
        assert not batch.refused
        pieces.append(batch.frame)
        rows += table.frame.height
    return pl.concat(pieces)


def first(path: Path, mapping: str = "", role: str = "") -> dict[str, object]:
    """Returns the filled columns of the first row."""
    row = frame_of(opened(path, mapping, role)).row(0, named=True)
    return {name: row[name] for name in ("user", "item", "type", "value", "time", "session") if row[name] is not None}


def attributes(path: Path, mapping: str = "", role: str = "") -> list[tuple[str, dict[str, object]]]:
    """Returns (id, attributes) of every upsert."""
    source = opened(path, mapping, role)
    assert isinstance(source.mapping, AttributeMapping)
    frame = frame_of(source)
    payloads = (msgspec.json.decode(payload)["attributes"] for payload in frame["payload"])
    return list(zip(frame[source.mapping.subject].to_list(), payloads, strict=True))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n"),
        ("a.csv", "userId;movieId;rating;timestamp\n1;31;2.5;1260759144\n"),
        ("a.tsv", "userId\tmovieId\trating\ttimestamp\n1\t31\t2.5\t1260759144\n"),
        ("a.txt", "userId|movieId|rating|timestamp\n1|31|2.5|1260759144\n"),
        ("ratings.csv", "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n"),
        ("ratings.dat", "1::31::2.5::1260759144\n"),
        ("u.data", "1\t31\t2.5\t1260759144\n"),
        ("x.inter", "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t31\t2.5\t1260759144\n"),
        ("a.jsonl", '{"reviewerID": 1, "asin": "31", "overall": 2.5, "unixReviewTime": 1260759144}\n'),
        ("a.jsonl", '{"user": "1", "item": 31.0, "stars": "2.5", "date": "2009-12-14T02:52:24Z", "other": [1]}\n'),
    ],
)
def test_ratings_read_the_same_from_every_format(tmp_path: Path, name: str, text: str) -> None:
    assert first(write(tmp_path, name, text)) == RATING
    assert first(write(tmp_path, f"{name}.gz", gzip.compress(text.encode()))) == RATING


def test_parquet_reads_as_its_types_say(tmp_path: Path) -> None:
    moment = datetime(2009, 12, 14, 2, 52, 24, tzinfo=UTC)
    columns = {"userId": [1.0, 2.0], "movieId": [31, None], "rating": [2.5, 3.0], "when": [moment, moment]}
    path = tmp_path / "a.parquet"
    pl.DataFrame(columns).head(1).write_parquet(path)
    assert first(path, "time=when") == RATING
    pl.DataFrame(columns).write_parquet(path)
    source = opened(path, "time=when")
    (table,) = source.reader(path)
    assert isinstance(source.mapping, Mapping)
    batch = ToInteractions(source.mapping, clock_of(table.frame["when"]), NOW, "file")(table, 0)
    assert [(one.line, one.error.code) for one in batch.refused] == [(2, "id.invalid")]


def test_a_file_without_names_is_mapped_by_position(tmp_path: Path) -> None:
    path = write(tmp_path, "plain.csv", "1,31,2.5,1260759144\n2,32,3,1260759145\n")
    with pytest.raises(MissingColumn, match="columns 1, 2, 3, 4"):
        opened(path)
    assert first(path, "user=1,item=2,value=3,time=4,type:=rating") == RATING
    blank = write(tmp_path, "plain.txt", "1 31 2.5 1260759144\n2 32 3 1260759145\n")
    assert first(blank, "user=1,item=2,value=3,time=4,type:=rating") == RATING


def test_lightgcn_files_hold_one_interaction_an_item(tmp_path: Path) -> None:
    path = write(tmp_path, "train.txt", "0 5 6\n1 7\n2\n")
    source = opened(path)
    (table,) = source.reader(path)
    assert table.frame.rows() == [("0", "5"), ("0", "6"), ("1", "7")]
    assert table.lines.tolist() == [1, 1, 2]
    assert [one.line for one in table.unread] == [3]


def test_context_and_other_fields_stand_in_the_payload(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", 'user,item,device,rank,city,temp\nann,milk,phone,3,"Köln ""K""",\nbob,milk,,,,\n')
    frame = frame_of(opened(path, "context=temp+city"))
    payloads = [payload and msgspec.json.decode(payload) for payload in frame["payload"]]
    assert payloads == [{"context": {"city": 'Köln "K"'}, "device": "phone", "position": 3}, None]
    assert frame["payload"][0].startswith(b'{"context":')


def test_whole_events_are_told_from_tables(tmp_path: Path) -> None:
    path = write(tmp_path, "events.jsonl", '{"user": "ann", "item": "milk", "type": "purchase"}\n')
    assert opened(path).role == "events"
    assert opened(path, "user=user,item=item").role == "interactions"


def test_movies_read_the_same_from_every_edition(tmp_path: Path) -> None:
    flags = ["1" if genre in ("Animation", "Comedy") else "0" for genre in GENRES]
    toy_story = ("1", {"title": "Toy Story", "tags": ["Animation", "Comedy"]})
    editions = {
        "u.item": "|".join(["1", "Toy Story", "", "", "", *flags]) + "\n",
        "movies.dat": "1::Toy Story::Animation|Comedy\n",
        "movies.csv": "movieId,title,genres\n1,Toy Story,Animation|Comedy\n",
        "m.item": "item_id:token\tmovie_title:token_seq\tclass:token_seq\n1\tToy Story\tAnimation Comedy\n",
        "films.jsonl": '{"item_id": 1, "title": "Toy Story", "genres": ["Animation", "Comedy"]}\n',
    }
    for name, text in editions.items():
        assert attributes(write(tmp_path, name, text)) == [toy_story], name


def test_users_of_movielens(tmp_path: Path) -> None:
    person = {"age": 24.0, "gender": "M", "occupation": "technician", "zip": "85711"}
    assert attributes(write(tmp_path, "u.user", "1|24|M|technician|85711\n")) == [("1", person)]
    assert attributes(write(tmp_path, "users.dat", "1::M::24::technician::85711\n")) == [("1", person)]


def test_a_folder_gives_users_and_items_before_interactions(tmp_path: Path) -> None:
    write(tmp_path, "u.data", "1\t31\t2.5\t1260759144\n")
    write(tmp_path, "u.user", "1|24|M|technician|85711\n")
    write(tmp_path, "README", "none")
    assert [source.role for source in open_sources(tmp_path)] == ["users", "interactions"]


def test_attributes_are_told_by_names_and_values(tmp_path: Path) -> None:
    text = (
        "product_id,category,price,zip,sold,keywords,title,embedding\n"
        "7,12,1.50,01234,true,a|b,Nice | good,0.5 1\n"
        '8,,,,,"[""c"", ""d""]",,\n'
        "9,,,,,,,\n"
    )
    path = write(tmp_path, "products.csv", text)
    full = {
        "category": "12",
        "price": 1.5,
        "zip": "01234",
        "sold": True,
        "tags": ["a", "b"],
        "title": "Nice | good",
        "embedding": [0.5, 1.0],
    }
    assert attributes(path) == [("7", full), ("8", {"tags": ["c", "d"]}), ("9", {})]
    assert attributes(path, "zip=zip@number")[0][1]["zip"] == 1234.0


def test_a_cell_that_is_not_of_its_kind_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "items.csv", "item,price,vector\na,1,1 2\nb,x,1 2\nc,2,1 y\n,1,1 2\n")
    source = opened(path, "price=price@number")
    (table,) = source.reader(path)
    assert isinstance(source.mapping, AttributeMapping)
    batch = ToUpserts(source.mapping.known(table.frame), None, NOW, "file")(table, 0)
    assert batch.frame["item"].to_list() == ["a"]
    assert [(one.line, one.error.code) for one in batch.refused] == [
        (3, "value.invalid"),
        (4, "value.invalid"),
        (5, "id.invalid"),
    ]


def test_an_attribute_mapping_reads_as_it_is_written() -> None:
    text = "item=sku,time=since,colour=c@text,tags=t@list"
    assert str(map_attributes(text, ("sku", "since", "c", "t"), "item")) == text


def test_what_cannot_be_opened_says_so(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path, write(tmp_path, "empty.csv", ""), write(tmp_path, "a.csv", "word\n")):
        with pytest.raises(UnreadableFile):
            opened(path)
    for name in ("bad.parquet", "bad.jsonl", "bad.inter"):
        with pytest.raises(UnreadableFile):
            opened(write(tmp_path, name, "no such thing\n"))
    with pytest.raises(UsageError):
        opened(write(tmp_path, "b.csv", "user,item\n1,2\n"), role="things")
    with pytest.raises(MissingColumn):
        opened(write(tmp_path, "c.csv", "nick,what\na,5\n"))
