"""The leaderboard: task, data set, metric, ranked results, and the check of new ones. No torch."""
