"""What is published: epochs, signed heads, tiles on disk, receipts, report files.

The order is fixed: the head is committed in the database, then tiles are written, then the checkpoint. A crash
in between is repaired by the same code at the next start: recovery is the normal path.
"""
