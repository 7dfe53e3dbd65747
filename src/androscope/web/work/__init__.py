"""Decoding and grading in processes of their own, fed from the records' queue."""
