"""A look at raw data that nobody has prepared, and a project made of what is seen. Needs no Spark."""
