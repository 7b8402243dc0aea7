"""A forecast as a library verb: what is run, what it starts from, and how it is written."""
