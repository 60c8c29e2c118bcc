"""What type checkers say of code that uses Jobmill: files that must pass, and lines that must not."""
