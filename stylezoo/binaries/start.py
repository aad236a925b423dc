"""The entry point: an interrupt while the command line is imported is no traceback either."""

import sys


def main() -> None:
    """Run the command line of the process, and end it with the exit status."""
    try:
        from stylezoo.binaries import main as command_line

        command_line.main()
    except KeyboardInterrupt:
        sys.stderr.write("stylezoo: error: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
