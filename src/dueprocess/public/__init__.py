"""The public site: static files only. No database, no cookie, no script, nothing about any case."""
