"""What a night reads of a source, and what nights have read."""
