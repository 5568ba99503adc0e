"""Training of one network by several workers, on a table that need not fit into memory."""
