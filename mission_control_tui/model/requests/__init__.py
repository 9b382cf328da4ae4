"""The queue: claims, attempts, outcomes, dependencies, pauses, limits, workers, drift."""
