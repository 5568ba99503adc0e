"""Gates: what is expected of the new rows of a night, evaluated together before anything is written."""
