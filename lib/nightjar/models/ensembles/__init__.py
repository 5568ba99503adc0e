"""What is fitted to the out-of-fold scores of other models: blends of ensemble members, and calibration."""
