"""How large an event and its parts may be, wherever it comes from."""

from __future__ import annotations

TEXT_BYTES = 10 * 1024
CONTEXT_KEYS = 100
CONTEXT_DEPTH = 4
LIST_LENGTH = 4_096
BATCH_EVENTS = 10_000
LARGEST_VALUE = 3.4028234663852886e38
