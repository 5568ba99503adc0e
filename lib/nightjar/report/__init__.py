"""The night's report, made from the Delta tables only."""
