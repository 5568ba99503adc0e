"""The catalogue of a project: its tables and columns, where each comes from, how new it is, and how it is read."""
