"""Microscope file to grey field to crop: everything before a model sees a sperm."""
