"""Masking: the one place that hides the values of columns that a project declares sensitive."""
