"""GIF files inside a graph: the first frame alone, before anything is unpacked.

TensorFlow's decoder unpacks all frames of a file to return one, and a frame may take 2,600 times its bytes.
"""

import tensorflow as tf

_EXTENSION, _FRAME, _END = 0x21, 0x2C, b"\x3b"
# A header without a table of colours; then the bytes of a frame before its table.
_HEADER, _DESCRIPTOR = 13, 10
_HAS_TABLE = 0x80
# A block has at most 255 bytes, so that a frame has at most 16 MB. Extensions are comments and times.
_MOST_BLOCKS = 2**16
_MOST_EXTENSIONS = 16


def first_frame(data: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Return a GIF file of its first frame (GIF89a, sections 18 to 26), or fail.

    Args:
        data: The file's content, a scalar string.
        size: Height and width in its header, int64, [2]. A larger frame is refused.

    Returns:
        The file cut after its first frame, and ended, a scalar string.
    """
    file = tf.io.decode_raw(tf.strings.join([data, "\0" * 2 * _DESCRIPTOR]), tf.uint8)
    length = tf.strings.length(data)

    def byte(at: tf.Tensor) -> tf.Tensor:
        return tf.cast(file[tf.minimum(at, length)], tf.int32)

    def after_table(at: tf.Tensor, flags: tf.Tensor) -> tf.Tensor:
        entries = tf.where(flags >= _HAS_TABLE, tf.bitwise.left_shift(2, flags % 8), 0)
        return at + 3 * entries

    def after_blocks(at: tf.Tensor) -> tf.Tensor:
        """Return where blocks end, each of which begins with its length; the last has none."""
        (last,) = tf.while_loop(
            lambda at: byte(at) > 0,
            lambda at: (at + 1 + byte(at),),
            (at,),
            maximum_iterations=_MOST_BLOCKS,
            parallel_iterations=1,
        )
        return last + 1

    (start,) = tf.while_loop(
        lambda at: tf.equal(byte(at), _EXTENSION),
        lambda at: (after_blocks(at + 2),),
        (after_table(tf.constant(_HEADER), byte(tf.constant(_HEADER - 3))),),
        maximum_iterations=_MOST_EXTENSIONS,
        parallel_iterations=1,
    )
    low, high = (tf.cast(file[at : at + 4 : 2], tf.int64) for at in (start + 5, start + 6))
    # What follows the table of colours is a number of bits, and then the frame's blocks.
    end = after_blocks(after_table(start + _DESCRIPTOR, byte(start + _DESCRIPTOR - 1)) + 1)
    is_frame = tf.equal(byte(start), _FRAME) & tf.equal(byte(end - 1), 0) & (end <= length)
    fits = tf.reduce_prod(low + 256 * high) <= tf.reduce_prod(size)
    with tf.control_dependencies([tf.debugging.Assert(is_frame & fits, ["GIF"])]):
        return tf.strings.join([tf.strings.substr(data, 0, end), _END])
