"""Settings of monitoring: what is watched, and what follows of it, one module for each."""
