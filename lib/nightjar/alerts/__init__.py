"""Alerts: what somebody should look at, recorded in a table and sent to sinks."""
