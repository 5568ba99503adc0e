"""Raw files of each format as Spark DataFrames of what they hold."""
