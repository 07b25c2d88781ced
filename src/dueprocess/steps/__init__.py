"""Steps: one module a verb, one transaction each.

A step loads the case under the append lock, asks the pure move in `dueprocess.cases`, and appends what it
returns. No IO happens inside: the caller has put bytes into the vault before and hands values in.
"""
