"""Crop to probabilities: the card, the bundle and the ONNX session."""
