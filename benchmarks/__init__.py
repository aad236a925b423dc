"""Measured runs: one module a suite, results as JSON with machine, versions and command."""
