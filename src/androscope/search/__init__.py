"""Searching a configuration's values: a space in a YAML file, Optuna, validation alone."""
