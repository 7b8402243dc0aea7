"""The `graphcast` command: one module per subcommand.

Each reads its flags, calls the library, and prints what it did, where the result is, and what to do
next. `commands` lists the subcommands; `__main__` runs one, and turns errors into one sentence and
exit code 2.
`arguments` parses lead times, init times, sizes and tasks. `terminal` has the consoles and the
progress bar; `screen` shows a running forecast, and `scores_screen` a table of scores.
"""
