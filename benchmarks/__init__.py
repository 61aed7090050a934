"""Speed and quality, measured: one module a figure, peers in the same run. `python -m benchmarks --help`."""
