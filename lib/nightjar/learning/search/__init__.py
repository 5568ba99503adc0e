"""The search: candidates are fitted and measured on folds, on Ray Tune; finished folds are stored in a ledger."""
