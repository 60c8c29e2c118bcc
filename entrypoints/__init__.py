"""Where Jobmill is entered: HTTP, command line, worker process, and the one place that wires it together."""
