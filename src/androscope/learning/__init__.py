"""The paper: DTL and DMTL, from a configuration to a bundle. The only place that knows torch."""
