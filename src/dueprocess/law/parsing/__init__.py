"""From TOML to packs, strictly: `parse` reads one, `packset` proves a set; every error names its file and line."""
