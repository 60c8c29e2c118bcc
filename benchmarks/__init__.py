"""Jobmill and its peers under the same load: ``make bench``. Method and results: ``docs/performance.md``."""
