"""Recommendations in which user profiles and the recommender are optimised together, live."""

__version__ = "0.1.0"
