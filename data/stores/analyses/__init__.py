"""The store of analyses that models train on, in the order to read.

`header` has its coordinates and attributes, `files` its shards and metadata, `store` writes it,
resumes it and adds times to it.
"""
