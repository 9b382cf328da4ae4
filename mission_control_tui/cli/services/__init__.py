"""Commands on services: provision, suspend, requests, schedules, lights, drift."""
