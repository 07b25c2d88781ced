"""Hand-over: ciphertext to the requester's enrolled key, once, after the gate has opened a second time."""
