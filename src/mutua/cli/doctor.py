"""`mutua doctor`: what is wrong with the environment or the store."""

from __future__ import annotations

from dataclasses import replace

import typer

from mutua.cli import exits
from mutua.cli.call import Call, single
from mutua.cli.screen import table
from mutua.core import clock
from mutua.monitoring.doctor import environment, examine_store


def doctor(call: Call) -> None:
    """Look at the environment and the store, or all of a folder, and say what to do; changes nothing."""
    now, types = clock.now(), call.settings.declared_types
    with call.screen.stage("examining"):
        findings = list(environment(now))
        for tenant, url in call.urls.items():
            found = examine_store(url, now=now, types=types)
            findings += [replace(one, tenant=tenant) for one in found] if call.folder else found
    well = all(finding.ok for finding in findings)
    made = table("", "check", "found", "to do")
    for finding in findings:
        name = f"{finding.tenant}: {finding.name}" if finding.tenant else finding.name
        made.add_row("ok" if finding.ok else "NOT", name, finding.what, "" if finding.ok else finding.do)
    call.screen.answer({"ok": well, "findings": findings}, made)
    if not well:
        raise typer.Exit(exits.UNWELL)


app = single(doctor)
