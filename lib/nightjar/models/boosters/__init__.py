"""LightGBM and XGBoost: fitted with scikit-learn's interface, stored in the libraries' own text formats."""
