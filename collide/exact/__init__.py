"""Exact averages and counting statistics: what the sampling is judged by."""
