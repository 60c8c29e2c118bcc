"""One program for each peer, written as its documentation advises; they run in the peers' environment."""
