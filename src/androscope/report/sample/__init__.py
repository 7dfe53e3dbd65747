"""A sample's report: one document, and the same as PDF, HTML, JSON and a CSV row per sperm."""
