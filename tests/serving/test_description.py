"""The interface against its own description: whatever is sent, no fault of the server and no answer off the schema."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recommender_shop import built
from serving_process import serving

RUN = """
import json
import schemathesis
from schemathesis.cli import schemathesis as run

@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json.dumps(value)).encode()

run()
"""


@pytest.mark.slow
def test_nothing_that_is_sent_breaks_the_server(tmp_path: Path) -> None:
    built(tmp_path)
    with serving(tmp_path) as (server, url):
        command = [sys.executable, "-c", RUN]
        checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
        options = ["run", f"{url}/openapi.json", "--checks", checks, "--max-examples", "20", "--seed", "1"]
        done = subprocess.run(
            [*command, *options, "--exclude-path-regex", "stream$|/docs|/static|^/metrics$", "--no-color"],
            capture_output=True,
            text=True,
            timeout=280,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout[-6_000:]
        assert server.poll() is None
