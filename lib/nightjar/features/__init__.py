"""Stage 2: spine, features and labels, by the point-in-time contract."""
