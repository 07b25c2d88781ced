"""What the rooms above share and is no case's: packs, maps, settings, backups' archives, pages, recipients' keys."""
