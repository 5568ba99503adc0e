"""The page of reviewers: HTML made on the server, on loopback, for people who have a token."""
