"""What a model is worth and how far two distributions are apart: pure functions on arrays, without Spark or I/O."""
