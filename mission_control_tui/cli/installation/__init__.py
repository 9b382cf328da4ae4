"""Commands for whoever runs the installation: init, upgrade, settings, doctor, worker, catalogue."""
