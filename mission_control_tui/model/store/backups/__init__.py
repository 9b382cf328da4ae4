"""Backups of the whole database: one file each, taken while everything runs, checked before it is used."""
