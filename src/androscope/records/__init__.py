"""A lab's records: samples, images, the model's opinion, and who changed what in a chained log."""
