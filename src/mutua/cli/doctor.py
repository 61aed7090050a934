"""`mutua doctor`: what is wrong with the environment or the store."""

from __future__ import annotations

import typer

from mutua.cli import exits
from mutua.cli.call import Call, single
from mutua.cli.screen import table
from mutua.core import clock
from mutua.monitoring.doctor import examine


def doctor(call: Call) -> None:
    """Look at the environment and the store, and say what to do; changes nothing."""
    with call.screen.stage("examining"):
        findings = examine(call.url, now=clock.now(), types=call.settings.declared_types)
    well = all(finding.ok for finding in findings)
    made = table("", "check", "found", "to do")
    for finding in findings:
        made.add_row("ok" if finding.ok else "NOT", finding.name, finding.what, "" if finding.ok else finding.do)
    call.screen.answer({"ok": well, "findings": findings}, made)
    if not well:
        raise typer.Exit(exits.UNWELL)


app = single(doctor)
