"""Pure sequence arithmetic: spans and tiles, seeded shuffles, edits. Nothing here sees a model."""
