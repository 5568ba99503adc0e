"""Jobs as a whole: how one runs, and how a night chains them."""
