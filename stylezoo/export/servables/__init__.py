"""What can be served: models with the calls that servers make, and what they must answer."""
