"""Predictors as files, and the checks of their types and trees before anything in them is opened."""
