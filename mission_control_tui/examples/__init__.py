"""Programs to copy and change, which nothing here imports: back ends for the connector `exec`."""
