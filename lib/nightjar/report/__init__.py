"""What people look at, made from the Delta tables only."""
