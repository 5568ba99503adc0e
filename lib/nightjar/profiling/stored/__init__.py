"""The stored facts of a source over time: what each column holds in each period, and what stands out."""
