"""Metrics of models, and distances between distributions: pure functions on arrays, without Spark or I/O."""
