"""Machines of the literature, each built from public constructors alone, with its closed forms beside it."""
