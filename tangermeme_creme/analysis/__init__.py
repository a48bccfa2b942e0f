"""Numbers from results: effects, calls, interactions, statistics. No model is called here."""
