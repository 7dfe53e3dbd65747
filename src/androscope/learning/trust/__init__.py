"""May verdicts be trusted: calibration and conformal data fitted, and measured on test."""
