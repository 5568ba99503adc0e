"""Fitting of one candidate: the rows that it is fitted on, the fit, and what decides its result."""
