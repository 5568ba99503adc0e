"""Labels that nobody gave, and labels that somebody should look at again."""
