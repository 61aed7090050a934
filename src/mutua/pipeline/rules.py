"""Rules over item attributes: `category=dairy|bakery`, `price<=5`, `brand!=acme`, `tags=organic`, `available`."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from mutua.catalog.table import AttributeTable, Column, Labels, Numbers, Sets, Texts
from mutua.errors import UsageError

Mask = npt.NDArray[np.bool_]

_RULE = re.compile(r"\s*(?P<column>[^\s=!<>|]+)\s*(?:(?P<op>!=|<=|>=|=|<|>)\s*(?P<values>.+?))?\s*")
_OPEN = re.compile(r"\{([^{}]+)\}")
_COMPARE = {"<=": np.less_equal, ">=": np.greater_equal, "<": np.less, ">": np.greater}


class Rule(msgspec.Struct, frozen=True):
    """A condition on one column.

    Args:
        column: attribute name.
        op: `=`, `!=`, `<=`, `>=`, `<`, `>`, or `is` (a number other than 0).
        values: alternatives; comparisons take one number.
    """

    column: str
    op: str = "is"
    values: tuple[str, ...] = ()


def parse_rule(text: str) -> Rule:
    """Returns the rule that `text` writes.

    Raises:
        UsageError: code `usage`; not of the form `column`, `column=a|b`, `column!=a` or `column<=number`.

    Example:
        >>> parse_rule("category=dairy|bakery")
        Rule(column='category', op='=', values=('dairy', 'bakery'))
    """
    match = _RULE.fullmatch(text)
    if match is None:
        raise _unreadable(text)
    column, op, values = match["column"], match["op"] or "is", match["values"] or ""
    if op in _COMPARE:
        try:
            float(values)
        except ValueError as reason:
            raise _unreadable(text) from reason
    return Rule(column, op, tuple(part.strip() for part in values.split("|")) if values else ())


def filled(text: str, said: Callable[[str], str]) -> str:
    """Returns a rule with each `{name}` in it replaced by what `said` returns for the name.

    Example:
        >>> filled("store={store}", {"store": "north"}.__getitem__)
        'store=north'
    """
    return _OPEN.sub(lambda found: said(found[1]), text)


def open_names(text: str) -> tuple[str, ...]:
    """Returns the names in braces that a rule waits for."""
    return tuple(_OPEN.findall(text))


def matches(rule: Rule, table: AttributeTable) -> Mask:
    """Returns bool [n]: rows for which `rule` holds; a row without the attribute matches only `!=`.

    Raises:
        UsageError: code `usage`; no such column, or a comparison on one that holds no numbers.
    """
    column = table.columns.get(rule.column)
    if column is None:
        near = difflib.get_close_matches(rule.column, table.columns, 1)
        raise UsageError(
            f"a rule on {rule.column!r}",
            f"one of the attributes {', '.join(sorted(table.columns)) or '(none recorded)'}",
            f"did you mean {near[0]!r}?" if near else "record an items file with this column",
        )
    if rule.op == "!=":
        return ~_equal(column, rule.values)
    if rule.op == "=":
        return _equal(column, rule.values)
    if not isinstance(column, Numbers):
        raise UsageError(
            f"{rule.column} {rule.op}", f"= or !=: {rule.column!r} holds no numbers", "compare with = and alternatives"
        )
    if rule.op == "is":
        return np.asarray(np.nan_to_num(column.values) != 0)
    with np.errstate(invalid="ignore"):
        compared: Mask = _COMPARE[rule.op](column.values, np.float32(rule.values[0]))
    return compared


def _equal(column: Column, values: tuple[str, ...]) -> Mask:
    if isinstance(column, Labels):
        wanted = [code for code, level in enumerate(column.levels) if level in values]
        return np.asarray(np.isin(column.codes, wanted))
    if isinstance(column, Sets):
        columns = [code for code, level in enumerate(column.levels) if level in values]
        return np.asarray(np.asarray(column.matrix[:, columns].sum(axis=1)).ravel() > 0)
    if isinstance(column, Numbers):
        return np.isin(column.values, np.array([_number(value) for value in values], np.float32))
    if isinstance(column, Texts):
        return np.array([text in values for text in column.values], np.bool_)
    raise UsageError("a rule on an embedding", "an attribute with labels, numbers or text", "use another column")


def _number(value: str) -> float:
    try:
        return {"true": 1.0, "false": 0.0}.get(value.lower()) or float(value)
    except ValueError:
        return np.nan


def _unreadable(text: str) -> UsageError:
    return UsageError(
        f"rule {text[:80]!r}",
        "column, column=a|b, column!=a, or column<=number",
        "quote the rule in the shell, for example 'price<=5'",
    )
