"""Settings and addresses, loaded by name and imported by nobody."""
