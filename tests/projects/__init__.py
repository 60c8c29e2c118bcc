"""Small projects of users, one per framework and plain scripts; the recipes in the docs show their code."""
