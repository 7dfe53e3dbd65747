"""The fixed protocol: recipes run over seeds, each read on test once, and what came of them."""
