"""Stage 4: the night's scores."""
