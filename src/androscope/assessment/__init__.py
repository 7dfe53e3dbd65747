"""Probabilities to verdicts to a sample: the rules, with no model and no image in sight."""
