"""Stage 3: walk-forward search on Ray, honest final figures, and a registered model."""
