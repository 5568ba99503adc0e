"""The preparation of features: numbers, categories, texts, derived columns, selection, resampling."""
