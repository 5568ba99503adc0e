"""The gates of a promotion: each judges one thing of the evidence of a version, and says what it found in one sentence."""
