"""The default model: influence between items, what follows what, repeats, trend, attributes and content, on one score."""
