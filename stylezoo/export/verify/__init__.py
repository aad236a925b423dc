"""Exports loaded back by runtimes that share no code with their Keras models, and compared."""
