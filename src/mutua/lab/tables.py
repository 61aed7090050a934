"""A run's document as tables, in text or Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mutua.lab.document import Document
from mutua.metrics.bootstrap import Interval

CHIEF = ("recall", "ndcg", "hr", "mrr", "map", "coverage", "novelty")
RATINGS = ("rmse", "mae")


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns and rows of text; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def text(self) -> str:
        """Returns the table in columns of equal width, the first aligned left, the others right."""
        lines = (self.columns, *self.rows)
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.columns))]
        laid = [
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join((self.title, laid[0], "-" * len(laid[0]), *laid[1:]))

    def markdown(self) -> str:
        """Returns the table in Markdown, its title in bold above it."""
        rule = ("---", *["---:"] * (len(self.columns) - 1))
        lines = (self.columns, rule, *self.rows)
        return "\n".join((f"**{self.title}**", "", *(f"| {' | '.join(map(_escaped, line))} |" for line in lines)))


def tables(document: Document) -> tuple[Table, ...]:
    """Returns the tables of a document: the models, their tests against the first, and what a replay showed."""
    found = [models_table(document)]
    if document.comparisons:
        found.append(comparisons_table(document))
    return (*found, *(freshness_table(document, name) for name, one in document.results.items() if one.freshness))


def models_table(document: Document, metrics: Sequence[str] = ()) -> Table:
    """Returns one row a model.

    Args:
        metrics: the figures wanted, as `name@k`; default: the chief ones at the largest cut-off, and rating errors.
    """
    largest = max(document.data.cutoffs)
    wanted = metrics or (*(f"{name}@{largest}" for name in CHIEF), *RATINGS)
    names = [name for name in wanted if any(name in result.metrics for result in document.results.values())]
    rows = tuple(
        (
            model,
            *(shown(result.metrics[name]) if name in result.metrics else "" for name in names),
            f"{result.fit_seconds:.2f}",
            f"{result.score_seconds:.2f}",
            f"{result.peak_mib:.0f}",
        )
        for model, result in document.results.items()
    )
    data = document.data
    title = (
        f"{data.protocol} · {data.split} · {data.test_users} users asked"
        f" · seen items {'excluded' if data.exclude_seen else 'allowed'}"
    )
    return Table(title, ("model", *names, "fit s", "score s", "peak MiB"), rows)


def comparisons_table(document: Document) -> Table:
    """Returns one row a paired test."""
    rows = tuple(
        (
            f"{one.model} − {one.against}",
            one.metric,
            shown(one.difference),
            f"{one.p:.4f}",
            f"{one.p_holm:.4f}",
        )
        for one in document.comparisons
    )
    return Table("differences over the same users", ("models", "metric", "difference", "p", "p (Holm)"), rows)


def freshness_table(document: Document, model: str) -> Table:
    """Returns one row for each delay of the profile and each group of users of a replay."""
    result = document.results[model]
    names = [f"{name}@{k}" for name in ("hr", "ndcg", "mrr") for k in document.data.cutoffs]
    rows = tuple(
        (f"{point.group} · {point.delay}", f"{point.events}", *(shown(point.metrics[name]) for name in names))
        for point in result.freshness
    )
    return Table(f"{model}: users · delay of the profile", ("users · delay", "events", *names), rows)


def shown(figure: Interval) -> str:
    """Returns a figure with its interval.

    Example:
        >>> shown(Interval(0.25, 0.2, 0.3))
        '.2500 [.2000 .3000]'
    """
    return f"{_number(figure.value)} [{_number(figure.low)} {_number(figure.high)}]"


def text(document: Document) -> str:
    """Returns all tables of a document as text."""
    return "\n\n".join(table.text() for table in tables(document)) + "\n"


def markdown(document: Document) -> str:
    """Returns all tables of a document as Markdown."""
    return "\n\n".join(table.markdown() for table in tables(document)) + "\n"


def _number(value: float) -> str:
    if value != value:
        return "–"
    digits = f"{value:.4f}"
    return digits.replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
