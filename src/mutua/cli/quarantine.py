"""`mutua quarantine`: the rows that could not be read."""

from __future__ import annotations

from typing import Annotated

import typer

from mutua.cli.call import Call, single
from mutua.cli.screen import table


def quarantine(
    call: Call,
    limit: Annotated[int, typer.Option(min=1, help="Rows shown at most.")] = 50,
) -> None:
    """List the rows that could not be read, with their line, the code of the error and what to do."""
    with call.open_store() as store:
        rows, count = store.quarantine.rows(limit), store.quarantine.count()
    made = table("file", "line", "what was wrong")
    for row in rows:
        made.add_row(row.source, str(row.line), row.message)
    document = {
        "count": count,
        "rows": [
            {"file": row.source, "line": row.line, "code": row.code, "message": row.message, "raw": row.raw}
            for row in rows
        ],
    }
    total = f"{count:,} rows wait; once repaired: mutua record --from-quarantine" if count else "No row waits."
    call.screen.answer(document, *([made] if rows else []), total)


app = single(quarantine)
