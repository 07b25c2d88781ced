"""The portal: where an authority fetches its answer. It holds ciphertext and no key, no database, no credential."""
