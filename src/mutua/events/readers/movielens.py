"""The files of MovieLens 100k, 1M, 10M and latest, by their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from mutua.events.attributes import LIST, NUMBER, TEXT, Attribute, AttributeMapping
from mutua.events.mapping import Mapping as ColumnMapping
from mutua.events.readers.delimited import Delimited
from mutua.events.readers.tables import Table, TableReader

GENRES = (
    *(
        "unknown",
        "Action",
        "Adventure",
        "Animation",
        "Children's",
        "Comedy",
        "Crime",
        "Documentary",
        "Drama",
        "Fantasy",
    ),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_RATINGS = ColumnMapping.parse("user=user,item=movie,type:=rating,value=rating,time=timestamp@s")
_MOVIE = AttributeMapping("item", "movie", "", (Attribute("title", "title", TEXT), Attribute("tags", "genres", LIST)))
_U_USER = ("user", "age", "gender", "occupation", "zip")
_U_ITEM = ("movie", "title", "released", "video_released", "url", *GENRES)
_USERS_DAT = ("user", "gender", "age", "occupation", "zip")


@dataclass(frozen=True)
class Flagged:
    """Reads a table with one column of 0 or 1 a genre as one with a list of genres."""

    inner: Delimited
    flags: tuple[str, ...]
    name: str = "movielens"

    def __call__(self, path: Path) -> Iterator[Table]:
        for table in self.inner(path):
            yield self._listed(table)

    def rows(self, text: str) -> Table:
        """Returns the rows of `text` as those of a file would be read."""
        return self._listed(self.inner.rows(text))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the tables."""
        return (*(name for name in self.inner.columns if name not in self.flags), "genres")

    def _listed(self, table: Table) -> Table:
        genres = pl.concat_str(
            [pl.when(pl.col(flag) == "1").then(pl.lit(flag)) for flag in self.flags], separator="|", ignore_nulls=True
        )
        return replace(table, frame=table.frame.with_columns(genres=genres).drop(self.flags))


@dataclass(frozen=True)
class MovieLensFile:
    """How one file of MovieLens is read: its role, reader and mapping."""

    role: str
    reader: TableReader
    mapping: ColumnMapping | AttributeMapping


def _latin(columns: tuple[str, ...], separator: str) -> Delimited:
    return Delimited(columns, separator, quote="", header=0, encoding="latin-1", name="movielens")


def _people(columns: tuple[str, ...]) -> AttributeMapping:
    kinds = {"age": NUMBER}
    return AttributeMapping("user", "user", "", tuple(Attribute(one, one, kinds.get(one, TEXT)) for one in columns[1:]))


_RATING_COLUMNS = ("user", "movie", "rating", "timestamp")
_MOVIE_COLUMNS = ("movie", "title", "genres")
_U_ITEM_MAPPING = replace(
    _MOVIE, attributes=(*_MOVIE.attributes, Attribute("released", "released", TEXT), Attribute("url", "url", TEXT))
)
FILES: Mapping[str, MovieLensFile] = {
    "u.data": MovieLensFile("interactions", _latin(_RATING_COLUMNS, "\t"), _RATINGS),
    "u.user": MovieLensFile("users", _latin(_U_USER, "|"), _people(_U_USER)),
    "u.item": MovieLensFile("items", Flagged(_latin(_U_ITEM, "|"), GENRES), _U_ITEM_MAPPING),
    "ratings.dat": MovieLensFile("interactions", _latin(_RATING_COLUMNS, "::"), _RATINGS),
    "users.dat": MovieLensFile("users", _latin(_USERS_DAT, "::"), _people(_USERS_DAT)),
    "movies.dat": MovieLensFile("items", _latin(_MOVIE_COLUMNS, "::"), _MOVIE),
    "ratings.csv": MovieLensFile("interactions", Delimited(_RATING_COLUMNS, name="movielens"), _RATINGS),
    "movies.csv": MovieLensFile("items", Delimited(_MOVIE_COLUMNS, name="movielens"), _MOVIE),
}
"""By name of the file. The CSV files count as MovieLens only with its header (`formats`)."""
CSV_HEADERS = {"ratings.csv": b"userId,movieId,rating,timestamp", "movies.csv": b"movieId,title,genres"}
