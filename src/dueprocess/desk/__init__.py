"""The desk: what an entry point does around a step. Bytes go into the vault first, then one step is taken.

The command line, the demo, the workers and the office all act through these functions, so that every entry point
keeps the same order and the same refusals. Nothing here reads the clock: `now` is an argument.
"""
