"""A subject's service: the wish, the seat that it holds, its sealed password, its light."""
