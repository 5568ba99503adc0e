"""The point-in-time join on Spark, over the kernel in `nightjar.asof`."""
