"""What is learned from: training rows with their labels and weights, checked, ordered and sampled."""
