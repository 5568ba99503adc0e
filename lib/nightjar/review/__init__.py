"""People look at predictions: the queue, what they did with a case, files in and out, and the page of reviewers."""
