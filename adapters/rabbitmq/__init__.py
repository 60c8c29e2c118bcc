"""RabbitMQ as the message bus, through aiormq."""

from jobmill.adapters.rabbitmq.bounds import Bounds
from jobmill.adapters.rabbitmq.bus import RabbitBus
from jobmill.adapters.rabbitmq.desired import desired_topology
from jobmill.adapters.rabbitmq.opening import open_rabbit_bus
from jobmill.adapters.rabbitmq.topology import RabbitTopology

__all__ = ["Bounds", "RabbitBus", "RabbitTopology", "desired_topology", "open_rabbit_bus"]
