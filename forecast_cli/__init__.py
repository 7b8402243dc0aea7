"""The `graphcast` command: one module per subcommand.

Each reads its flags, calls the library, and says what it did, where the result is, and what to do
next. `__main__` lists the subcommands and turns errors into one sentence and exit code 2.
`arguments` parses what people type, `terminal` is how commands speak, `runtime` sets up JAX
and its caches, `provenance` is what outputs say of their making.
"""
