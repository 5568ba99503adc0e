"""Stage 3: the search on Ray, metrics of a final period that it never used, and the registered model."""
