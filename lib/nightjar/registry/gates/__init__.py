"""The gates of a promotion: each judges one thing of a version's evidence, and says in a sentence what it has seen."""
