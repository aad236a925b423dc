"""Other projects that do the same as this one, measured by turns with it."""
