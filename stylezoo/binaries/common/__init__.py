"""What several commands share: flags, progress bars, reports."""
