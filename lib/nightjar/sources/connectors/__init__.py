"""Where raw rows come from: files, Delta tables, tables of a catalogue, databases."""
