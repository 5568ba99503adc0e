"""Refused rows: as a file for people, and back as corrections."""
