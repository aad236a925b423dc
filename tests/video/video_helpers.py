"""Clips for tests: a textured square that moves over a textured ground."""

import fractions

import av
import numpy as np

from stylezoo import video
from stylezoo.images.codecs import to_uint8

HEIGHT, WIDTH = 48, 64
SQUARE = 16


def texture(height, width, seed):
    """Smooth noise, [height, width, 3] in [0, 1], which flow can follow."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(height, width, 3))
    spectrum = np.fft.fft2(noise, axes=(0, 1))
    frequencies = np.hypot(
        *np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    )
    smooth = np.fft.ifft2(
        spectrum * np.exp(-((frequencies / 0.12) ** 2))[..., None], axes=(0, 1)
    ).real
    smooth = (smooth - smooth.mean()) / smooth.std()
    # Little colour, which H.264 stores at half the resolution.
    return np.clip(0.5 + 0.2 * smooth[..., :1] + 0.03 * smooth, 0, 1).astype(np.float32)


def scene(index, *, step=2, seed=0):
    """The picture [1, H, W, 3] of a scene whose square is at column 8 + step * index."""
    picture = texture(HEIGHT, WIDTH, seed).copy()
    left = 8 + step * index
    picture[16 : 16 + SQUARE, left : left + SQUARE] = texture(SQUARE, SQUARE, seed + 100)
    return picture[np.newaxis]


def frames(count, **options):
    return list(video.at_rate(scene(index, **options) for index in range(count)))


def write_with_sound(path, pictures, *, times=None, codec="aac", rate=25):
    """Write a clip whose frames are at certain ms, with half a second of a tone for every 12 frames."""
    times = times or [1000 * index // rate for index in range(len(pictures))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "10"})
        stream.height, stream.width = pictures[0].shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = fractions.Fraction(1, 1000)
        sound = container.add_stream(codec, rate=44100)
        sound.layout = "mono"
        for time, picture in zip(times, pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(to_uint8(picture), format="rgb24")
            frame.pts, frame.time_base = time, fractions.Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        num_samples = 44100 * len(pictures) // rate
        tone = np.sin(np.arange(num_samples) * 0.06)
        size = sound.codec_context.frame_size or 1024
        kind = "fltp" if codec == "aac" else "s16"
        values = tone.astype(np.float32) if codec == "aac" else (tone * 30000).astype(np.int16)
        for start in range(0, num_samples, size):
            samples = av.AudioFrame.from_ndarray(
                values[np.newaxis, start : start + size], kind, "mono"
            )
            samples.rate, samples.pts = 44100, start
            container.mux(sound.encode(samples))
        container.mux(sound.encode())


def sound_packets(path):
    """Time in seconds and bytes of every packet of sound."""
    with av.open(str(path)) as container:
        return [
            (round(float(packet.pts * packet.time_base), 3), bytes(packet))
            for packet in container.demux(container.streams.audio[0])
            if packet.dts is not None
        ]
