"""The estimators that a model can be: the registry of them, the allowlist of scikit-learn's, and our own."""
