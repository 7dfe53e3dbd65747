"""The closed door: who may come in, how it is known that they meant it, what a browser may run."""
