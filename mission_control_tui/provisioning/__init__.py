"""The engine: requests -> worker -> connectors -> events. Imports the model, never screens or widgets."""
