"""Trainings side by side: parameters, figures, data and code."""
