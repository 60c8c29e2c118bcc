"""The revisions; a file never changes once it was released."""
