"""The lab's page: samples dropped in, graded, looked at, reviewed, signed; and its closed door."""
