"""Tasks of users in categories, whose changes are events: a web API and the jobs behind it."""
