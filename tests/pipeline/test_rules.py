import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from mutua.catalog.table import AttributeTable, Labels, Numbers, Sets
from mutua.errors import UsageError
from mutua.pipeline.rules import Rule, matches, parse_rule

CATALOG = AttributeTable(
    4,
    {
        "category": Labels(np.array([0, 1, -1, 0], np.int32), ("dairy", "bakery")),
        "price": Numbers(np.array([1.0, 5.0, np.nan, 9.0], np.float32)),
        "available": Numbers(np.array([1, 0, 1, np.nan], np.float32)),
        "tags": Sets(sparse.csr_matrix(np.array([[1, 0], [1, 1], [0, 0], [0, 1]], np.float32)), ("organic", "vegan")),
    },
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("category=dairy", [True, False, False, True]),
        ("category=dairy|bakery", [True, True, False, True]),
        ("category!=dairy", [False, True, True, False]),
        ("price<=5", [True, True, False, False]),
        ("price>5", [False, False, False, True]),
        ("price=9", [False, False, False, True]),
        ("available", [True, False, True, False]),
        ("tags=vegan", [False, True, False, True]),
        ("tags=organic|vegan", [True, True, False, True]),
    ],
)
def test_a_rule_matches_rows_that_have_the_attribute(text: str, expected: list[bool]) -> None:
    assert matches(parse_rule(text), CATALOG).tolist() == expected


@pytest.mark.parametrize("text", ["", "=dairy", "price<=cheap", "price<=", "<5"])
def test_an_unreadable_rule_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(UsageError, match="rule"):
        parse_rule(text)


def test_an_unknown_column_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'category'"):
        matches(parse_rule("categroy=dairy"), CATALOG)


def test_labels_cannot_be_compared_as_numbers() -> None:
    with pytest.raises(UsageError, match="holds no numbers"):
        matches(parse_rule("category<=5"), CATALOG)


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_a_usage_error(text: str) -> None:
    try:
        rule = parse_rule(text)
    except UsageError:
        return
    assert isinstance(rule, Rule)
    assert rule.column
