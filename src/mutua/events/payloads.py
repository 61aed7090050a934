"""JSON objects, one a row, built from columns without a loop over rows."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl


def json_objects(columns: Mapping[str, pl.Series]) -> pl.Series:
    """Returns one JSON object a row as text, names in order of the alphabet; nulls left out, null where all are.

    Args:
        columns: values by name: texts, numbers, truth values or lists of these.

    Example:
        >>> json_objects({"b": pl.Series([1, None]), "a": pl.Series(["x", None])}).to_list()
        ['{"a":"x","b":1}', None]
    """
    frame = pl.DataFrame({name: columns[name] for name in sorted(columns)})
    return _enclosed(frame, [_member(name) for name in frame.columns])


def json_nested(name: str, objects: pl.Series) -> pl.Series:
    """Returns one object a row with the single member `name`, whose value is the JSON text in `objects`."""
    return _enclosed(objects.alias("object").to_frame(), [_prefix(name) + pl.col("object")])


def joined_objects(*objects: pl.Series) -> pl.Series:
    """Returns one object a row with the members of all; null where all are null. Names must differ."""
    frame = pl.DataFrame({str(place): one for place, one in enumerate(objects)})
    return _enclosed(frame, [pl.col(name).str.slice(1).str.head(-1) for name in frame.columns])


def _enclosed(frame: pl.DataFrame, members: list[pl.Expr]) -> pl.Series:
    body = pl.concat_str(members, separator=",", ignore_nulls=True)
    return frame.select(payload=pl.when(body != "").then(pl.lit("{") + body + pl.lit("}"))).to_series()


def _member(name: str) -> pl.Expr:
    encoded = pl.struct(pl.col(name)).struct.json_encode()
    return pl.when(pl.col(name).is_not_null()).then(encoded.str.slice(1).str.head(-1))


def _prefix(name: str) -> pl.Expr:
    return pl.lit(f'"{name}":')
