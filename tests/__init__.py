"""Kyma's tests."""
