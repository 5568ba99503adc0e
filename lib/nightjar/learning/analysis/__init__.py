"""Where a model fails: slices, the most wrong rows, errors over time, and what more rows would do."""
