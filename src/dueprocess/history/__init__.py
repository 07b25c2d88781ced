"""History: the event tables, the ledger rows and the docket. The only room that touches them.

Nothing is imported here, because Django loads this package before its tables exist; import the modules:
`append` (load and add), `ledger` (epochs, leaves, heads), `docket` (lists), `fsck`, `connection`.
"""
