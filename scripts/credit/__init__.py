"""A simulated lender: its applicants, what it records of them, what is true, and whom it approves."""
