"""Fixtures shared by all tests."""

from hypothesis import settings

settings.register_profile("mutua", deadline=None)
settings.load_profile("mutua")
