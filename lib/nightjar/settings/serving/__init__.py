"""Settings of serving: how scores are made, decided on, explained, reviewed and published, one module for each."""
