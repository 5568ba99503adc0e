"""Explanations of a score, and of a model, as documents."""
