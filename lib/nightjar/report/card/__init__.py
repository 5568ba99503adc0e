"""The card of a registered version: what it is, for what, how good, where it fails, and who has decided."""
