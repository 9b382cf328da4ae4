"""What every command shares: session, options, output, waiting, results, password files."""
