"""Kills, at chosen moments of chosen commits, and what stands in the tables after a rerun: see `matrix`."""
