"""Plain scripts beside a running Jobmill."""
