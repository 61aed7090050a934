"""Fused values as columns, and columns as float32 with a mask of what is missing."""

from __future__ import annotations

import json

import numpy as np

from mutua.catalog.table import AttributeTable, Labels, Numbers, Sets, Texts
from mutua.profiles.attributes import AttributeEncoding, encode_attributes, fused_table
from mutua.profiles.facts import facts_of
from mutua.profiles.fusion import fuse

PEOPLE = [
    {"age": 20, "plan": "gold", "likes": ["tea", "jazz"], "member": True},
    {"age": 40, "plan": "free"},
    {"plan": "gold", "likes": ["tea"], "zip": 4051},
    {},
]
TABLE = fused_table([fuse(facts_of(said, "crm", 0, 1)) for said in PEOPLE])


def test_values_find_their_kind_of_column() -> None:
    assert {name: type(column) for name, column in TABLE.columns.items()} == {
        "age": Numbers, "plan": Labels, "likes": Sets, "member": Numbers, "zip": Numbers,
    }  # fmt: skip
    plan, likes = TABLE.columns["plan"], TABLE.columns["likes"]
    assert isinstance(plan, Labels)
    assert isinstance(likes, Sets)
    assert [plan.levels[code] if code >= 0 else None for code in plan.codes] == ["gold", "free", "gold", None]
    assert likes.levels == ("jazz", "tea")
    assert likes.matrix.toarray().tolist() == [[1, 1], [0, 0], [0, 1], [0, 0]]
    np.testing.assert_array_equal(TABLE.columns["age"].values, np.array([20, 40, np.nan, np.nan], np.float32))


def test_mixed_texts_and_numbers_are_labels() -> None:
    table = fused_table([fuse(facts_of({"size": size}, "crm", 0, 1)) for size in ("M", 42)])
    column = table.columns["size"]
    assert isinstance(column, Labels)
    assert column.levels == ("42", "M")


def test_encoded_columns_say_what_they_are() -> None:
    encoded, names = encode_attributes(TABLE)
    assert encoded.dtype == np.float32
    assert encoded.shape == (4, len(names))
    row = dict(zip(names, encoded[0].tolist(), strict=True))
    assert (row["plan=gold"], row["plan=free"], row["likes=jazz"], row["age"]) == (1.0, 0.0, 1.0, -1.0)
    assert (row["plan=missing"], row["zip=missing"]) == (0.0, 1.0)
    nothing = dict(zip(names, encoded[3].tolist(), strict=True))
    assert all(value == float(name.endswith("=missing")) for name, value in nothing.items())


def test_users_beyond_the_table_and_unknown_levels_are_missing() -> None:
    encoding = AttributeEncoding.of(TABLE)
    other = AttributeTable(1, {"plan": Labels(np.array([0], np.int32), ("platinum",)), "age": Texts(("x",))})
    encoded = encoding.encode(other, np.array([0, 900], np.int32))
    expected = [float(name.endswith("=missing")) for name in encoding.names]
    assert encoded.tolist() == [expected, expected]


def test_levels_are_matched_by_name_and_not_by_code() -> None:
    encoding = AttributeEncoding.of(TABLE)
    turned = AttributeTable(1, {"plan": Labels(np.array([0], np.int32), ("gold", "free"))})
    row = dict(zip(encoding.names, encoding.encode(turned, np.zeros(1, np.int32))[0].tolist(), strict=True))
    assert (row["plan=gold"], row["plan=free"]) == (1.0, 0.0)


def test_only_the_most_frequent_levels_have_columns() -> None:
    codes = np.array([0, 1, 1, 2, 2, 2], np.int32)
    encoding = AttributeEncoding.of(AttributeTable(6, {"shop": Labels(codes, ("a", "b", "c"))}), most_levels=2)
    assert encoding.levels["shop"] == ("b", "c")


def test_an_encoding_survives_json() -> None:
    encoding = AttributeEncoding.of(TABLE)
    back = AttributeEncoding.restore(json.loads(json.dumps(encoding.meta())))
    rows = np.arange(4, dtype=np.int32)
    np.testing.assert_array_equal(back.encode(TABLE, rows), encoding.encode(TABLE, rows))
    assert back.names == encoding.names


def test_an_empty_table_encodes_to_no_columns() -> None:
    encoded, names = encode_attributes(AttributeTable(3))
    assert encoded.shape == (3, 0)
    assert names == ()
