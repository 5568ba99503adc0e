"""Labels by self-training, and lists of labels for a person to review."""
