"""Stage 1: raw data becomes validated facts; what is refused goes to quarantine, what was counted to quality."""
