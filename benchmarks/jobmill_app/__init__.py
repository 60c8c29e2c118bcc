"""Programs written for Jobmill, as its own documentation advises."""
