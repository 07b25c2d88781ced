"""What the programs read from disk: rule packs and data maps, by id and digest."""
