"""Models: columns in, scores out. Pure functions on Arrow tables; only network/training.py imports torch.

    fitting.py          settings and training rows in, a predictor out
    preprocessing/      features into the numbers of an estimator
    estimators/         what can be fitted to those numbers
    network/            the one estimator that needs torch, and only where it is trained
    ensembles/          blends of fitted models, and calibration
    predictor.py        a fitted model, which scores tables
    serialization/      predictors as files, and back

A stored predictor names classes, not modules: see serialization/stored_types.py before a class in here is renamed.
"""
