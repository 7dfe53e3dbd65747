"""Files received: counted and measured while they come, kept until they are decoded."""
