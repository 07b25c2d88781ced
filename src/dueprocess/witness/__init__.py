"""A small witness for somebody else's log: one folder, one state file, one HTTP server, no framework.

``place`` is the folder, ``signer`` its keys, ``store`` what was cosigned last, ``evidence`` what the log should
not have signed, ``timekeeper`` the rule around them, ``server`` HTTP. The rule itself is ``tlog.witness``.
"""
