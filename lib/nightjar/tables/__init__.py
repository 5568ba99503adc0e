"""Every Delta table of a warehouse: what it is, and how it is read and written."""
