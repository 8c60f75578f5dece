"""Kyma's own vocabulary: no I/O, no framework, nothing of ours imported."""
