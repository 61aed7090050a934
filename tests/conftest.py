"""Settings shared by all tests: no deadlines, and on continuous integration the same examples every time."""

import os

from hypothesis import settings

settings.register_profile("mutua", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("mutua")
