"""Production: what two people approved is read from the platform's stores and packed for one recipient.

The only room that opens a platform store.
"""
