"""Loops over arrays, compiled for this processor: pure functions for many rows, with the results of plain code."""
