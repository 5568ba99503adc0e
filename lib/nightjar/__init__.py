"""Nightjar trains models and scores batches on a cluster, every night."""
