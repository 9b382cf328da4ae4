"""Everything that finds: the index, the list of users, the matrix of lights, anyone in any account."""
