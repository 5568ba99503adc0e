"""Where word of alerts is sent, beside the log: a module for each kind of place."""
