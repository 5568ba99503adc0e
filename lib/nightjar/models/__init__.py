"""Models: columns in, probabilities out. Pure functions on Arrow tables; only models/network.py imports torch."""
