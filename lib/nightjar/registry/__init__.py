"""Where trained models are kept: artifacts that can be checked before they are opened, and who is champion when."""
