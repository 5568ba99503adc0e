"""Folds: which rows are fitted on, which are measured on, and what must not be in both."""
