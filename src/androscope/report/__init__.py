"""Results to what a person or another program reads: table, CSV, JSON, Parquet, HTML."""
