"""What is made of the results: tables, plots, and the page."""
