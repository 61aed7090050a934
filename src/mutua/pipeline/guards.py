"""Guards and rules: which items no slate may show, whoever asks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AVAILABLE, AttributeTable, Labels, Numbers
from mutua.pipeline.rules import matches, parse_rule

Mask = npt.NDArray[np.bool_]

NOT_AVAILABLE = frozenset({"0", "false", "no", "off", "out of stock"})
"""Spellings of `available` that keep an item back, where it is text."""


def banned_items(where: Sequence[str], catalog: AttributeTable, size: int) -> Mask:
    """Returns bool [size or more]: items that are out of stock, or of which a rule does not hold.

    Args:
        where: rules that every item must match.
        size: items in the vocabulary; those beyond the catalogue have no attributes.

    Raises:
        UsageError: code `usage`; a rule that does not fit the catalogue.
    """
    banned = np.zeros(max(size, catalog.size), np.bool_)
    banned[: catalog.size] = _out_of_stock(catalog)
    for rule in map(parse_rule, where):
        banned[: catalog.size] |= ~matches(rule, catalog)
        banned[catalog.size :] |= rule.op != "!="
    return banned


def read_by(where: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns that guards and rules look at."""
    return (AVAILABLE, *{rule.column: None for rule in map(parse_rule, where) if rule.column != AVAILABLE})


def _out_of_stock(catalog: AttributeTable) -> Mask:
    column = catalog.columns.get(AVAILABLE)
    if isinstance(column, Numbers):
        return np.asarray(column.values == 0)
    if isinstance(column, Labels):
        spelled = [code for code, level in enumerate(column.levels) if level.strip().lower() in NOT_AVAILABLE]
        return np.asarray(np.isin(column.codes, spelled))
    return np.zeros(catalog.size, np.bool_)
