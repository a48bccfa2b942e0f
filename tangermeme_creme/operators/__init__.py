"""The perturbation tests, one file a test."""
