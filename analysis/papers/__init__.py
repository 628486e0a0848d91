"""Published work, one module per paper: its figures and its table of claims."""
