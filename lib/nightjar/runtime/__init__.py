"""The only places where sessions start and engine options are set."""
