"""Models: columns in, scores out. Pure functions on Arrow tables.

fitting.py          settings and training rows in, a predictor out
preprocessing/      features into the numbers of an estimator
estimators/         what can be fitted to them
network/            the one estimator that needs torch, and only where it is trained
ensembles/          blends of fitted models, and calibration
predictor.py        a fitted model, which scores tables
serialization/      predictors as files, and back
"""
