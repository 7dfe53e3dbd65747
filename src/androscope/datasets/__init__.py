"""Labelled data: MHSMA and a lab's own crops, found, checked and described."""
