"""The only place where a model is called."""
