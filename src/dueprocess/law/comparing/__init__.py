"""Two versions of a pack side by side, in words: `diff` finds the changes, `references` which papers they touch."""
