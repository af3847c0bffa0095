"""The machine: a cache fed by watches, a queue of keys, and one pass over one Terminal at a time."""
