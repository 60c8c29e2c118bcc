"""The services of Jobmill, and the ports through which they reach the world."""
