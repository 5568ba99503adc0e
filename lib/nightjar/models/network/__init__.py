"""The network: its options, its inputs, its training with torch, and the trained one in NumPy."""
