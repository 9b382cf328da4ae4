"""Groups of fields that several screens show: a user's, addresses, a password, options, members."""
