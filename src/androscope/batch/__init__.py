"""Long batches: sources of any size -> parts -> one Parquet file, none lost and none twice.

The only place that imports Ray and fsspec, and both inside the function that needs them.
"""
