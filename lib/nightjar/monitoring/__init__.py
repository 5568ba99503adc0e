"""Stage 5: drift of features and scores, and performance of predictions whose labels are known."""
