"""Parts of the rows in which a model fails: found on some nights by a search of all, confirmed on others."""
