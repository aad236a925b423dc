"""Weights files of strangers that are small, and ask for more than any machine has."""

import io
import pickle
import struct

import h5py
import numpy as np
import torch_fakes as fakes
from torch_fakes import Storage, Tensor


def _nested_pickle(tail: bytes) -> bytes:
    """Tuples of the two before, forty deep, as the memo's value 40."""
    pairs = (b"h%ch%c\x86q%c0" % (n, n, n + 1) for n in range(40))
    return b"\x80\x02)q\x000" + b"".join(pairs) + tail


def large_memo() -> bytes:
    """A memo of 2^29 values."""
    return b"\x80\x02}" + b"r" + struct.pack("<I", 2**29) + b"."


def large_memo_in_zip() -> bytes:
    return fakes.save({}, data=large_memo())


def large_memo_in_stream() -> bytes:
    return fakes.save({}, data=large_memo(), legacy=True)


def bytes_that_are_not_there() -> bytes:
    """Eight exabytes that are declared, and would be allocated before they are read."""
    return fakes.save({}, data=b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b".")


def shared_children() -> bytes:
    """Lists that hold the one before ten times, forty deep."""
    node: object = []
    for _ in range(40):
        node = [node] * 10
    return fakes.save({"a": node}, legacy=True)


def key_of_shared_tuples() -> bytes:
    """A dictionary's key whose hash takes 2^40 steps."""
    return fakes.save({}, data=_nested_pickle(b"}h\x28K\x01s."))


def storage_of_shared_tuples() -> bytes:
    """An identification whose representation takes 2^40 characters."""
    return fakes.save({}, data=_nested_pickle(b"(U\x07storageh\x28U\x010U\x03cpuK\x01tQ."))


def one_storage_many_times(legacy: bool = False) -> bytes:
    """A storage of 4 MB as 600 tensors of its own."""
    storage = Storage(np.zeros(2**20, np.float32))
    tensors = {f"w{n}": Tensor(np.zeros(2**20), storage=storage) for n in range(600)}
    return fakes.save(tensors, legacy=legacy)


def one_storage_many_times_in_stream() -> bytes:
    return one_storage_many_times(legacy=True)


def many_views_of_one_storage() -> bytes:
    """A storage of 16 MB, which 4,000 tensors of one number each would read and copy."""
    storage = Storage(np.zeros(2**22, np.float32))
    return fakes.save({f"w{n}": Tensor(np.zeros(1), storage=storage) for n in range(4000)})


def one_array_many_times() -> bytes:
    """A pickle in which an array is copied by each of its names."""
    array = np.asfortranarray(np.zeros([1024, 1024], np.float64))
    return pickle.dumps({"VGG16_0": {f"Conv_{n}": {"kernel": array} for n in range(600)}})


def _hdf5(fill) -> bytes:
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs.update(architecture="vgg16", preprocessing="torch")
        fill(file)
    return stream.getvalue()


def unallocated() -> bytes:
    return _hdf5(lambda file: file.create_dataset("conv1_1/kernel", [2**31], "f4"))


def compressed() -> bytes:
    return _hdf5(
        lambda file: file.create_dataset(
            "conv1_1/kernel", [2**31], "f4", chunks=(2**20,), compression="gzip"
        )
    )


def large_chunk() -> bytes:
    """A number in a chunk of 4 GB."""
    return _hdf5(
        lambda file: file.create_dataset(
            "conv1_1/kernel", [1], "f4", chunks=(2**29,), maxshape=(None,), compression="gzip"
        )
    )


def hard_links() -> bytes:
    def fill(file):
        file["first"] = np.zeros(2**18, np.float32)
        for n in range(1000):
            file[f"w{n}"] = file["first"]

    return _hdf5(fill)


def attribute_of_shared_texts() -> bytes:
    """A name that is 4,000 texts."""

    def fill(file):
        file.attrs["architecture"] = ["x"] * 4000

    return _hdf5(fill)


FILES = {
    each.__name__: each
    for each in (
        large_memo_in_zip,
        large_memo_in_stream,
        bytes_that_are_not_there,
        shared_children,
        key_of_shared_tuples,
        storage_of_shared_tuples,
        one_storage_many_times,
        one_storage_many_times_in_stream,
        many_views_of_one_storage,
        unallocated,
        compressed,
        large_chunk,
        hard_links,
        attribute_of_shared_texts,
    )
}
