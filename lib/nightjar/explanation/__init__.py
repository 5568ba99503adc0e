"""Why a model says what it says: pure functions of a predictor and a table."""
