"""The RabbitMQ adapter against real brokers, and its pure parts by themselves."""
