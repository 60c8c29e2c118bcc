"""Real RabbitMQ and PostgreSQL servers for the tests: found where they are, or started for the occasion."""
