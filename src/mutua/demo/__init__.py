"""The main job told on a shop's data: record, compare, learn, one profile, its recommendations, two more events."""
