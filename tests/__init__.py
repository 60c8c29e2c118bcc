"""The tests: unit, contract, property, simulation, integration and browser."""
