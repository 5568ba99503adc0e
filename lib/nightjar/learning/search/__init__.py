"""The search: candidates race on folds, on Ray Tune; finished folds are kept on disk."""
