"""What an auditor recounts: a period of the ledger, from seeds, commitments and openings, without the operator."""
