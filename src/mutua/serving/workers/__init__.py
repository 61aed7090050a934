"""Several processes: one writes, the others answer; what one acknowledged all show."""
