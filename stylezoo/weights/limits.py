"""What a file of weights may ask for, given its size."""

from collections.abc import Iterable

from stylezoo.errors import WeightsError


def check_stored(sizes: Iterable[int], num_bytes: int) -> None:
    """Check, before any is read, that a file can hold the numbers that it declares.

    A number takes a byte at least. What declares more has tensors that share their numbers, or is
    compressed beyond what trained weights can be: weights of 4 bytes each may be used four times.

    Args:
        sizes: How many numbers each tensor has.
        num_bytes: The size of the file.

    Raises:
        WeightsError: If they are more numbers than there are bytes.
    """
    total = sum(sizes)
    if total > num_bytes:
        raise WeightsError(
            f"it declares {total:,} numbers in {num_bytes:,} bytes, and is no file of trained weights"
        )
