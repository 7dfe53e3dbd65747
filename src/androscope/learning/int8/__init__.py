"""A bundle in int8: its graph quantised, what that costs measured, and a new bundle written."""
