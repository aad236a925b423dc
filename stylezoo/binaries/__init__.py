"""Commands: one absl module each, and the only place with flags."""
