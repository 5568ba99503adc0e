"""The guard of every SQL expression in YAML: one value a row, the same at any time, in any session, on any machine."""
