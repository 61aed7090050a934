"""The default model: influence, what follows what, repeats, trend, attributes and content on one score."""
