"""The demonstration: one command that walks fictional demands through a real platform, from paper to proof.

`homeserver` runs a real Matrix Synapse, `matrix` speaks its API, `platform` lets the fictional people use it,
`papers` and `typeset` make what the fictional authorities send, `cast` is what a person reads off those papers.
"""
