"""What a training finds out about its winner besides whether it is better: for whom, where and why."""
