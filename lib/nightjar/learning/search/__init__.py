"""The search: candidates on folds, in rounds, on Ray Tune; finished folds are kept on disk."""
