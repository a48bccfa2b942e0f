"""Models: readouts, adapters for published networks, and a toy whose answers are known in closed form."""
