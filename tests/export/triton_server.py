"""A real Triton, from the package `nvidia-pytriton`, with the model repository that `serve_config` writes.

The package has the server and its Python backend. It is unpacked rather than installed, since it wants NumPy
1, which the backend needs: a virtual environment has that in front of this one's packages.
"""

import contextlib
import os
import pathlib
import shutil
import site
import socket
import stat
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import zipfile

from stylezoo.weights import sources

WHEEL = sources.PackageArtefact(
    requirement="nvidia-pytriton==0.7.0",
    form="wheel",
    sha256="21f063ff93bb426d0c06b7a55e7eb9efcfe62c0dddd9a908e9877e18710128df",
    num_bytes=55_369_373,
)
NUMPY = "numpy==1.26.4"


def install(folder):
    """Unpack the server into an empty folder, and make the environment of its models.

    Raises WeightsError where the package index has no such file.
    """
    (folder / "wheel").mkdir()
    with zipfile.ZipFile(WHEEL.download(folder / "wheel")) as wheel:
        wheel.extractall(folder)
    server = folder / "pytriton" / "tritonserver"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = "triton_python_backend_stub"
    shutil.copy(server / "python_backend_stubs" / version / stub, server / "backends" / "python")
    for program in (server / "bin" / "tritonserver", server / "backends" / "python" / stub):
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    packages = folder / "env" / "lib" / f"python{version}" / "site-packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--target", packages, NUMPY], check=True, capture_output=True)
    (packages / "base.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    return folder


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def serve(installed, repository, log):
    """Yield the addresses of the server by HTTP and by gRPC, once it has all models."""
    server = installed / "pytriton" / "tritonserver"
    http, grpc = free_ports(2)
    environment = {
        **os.environ,
        "PATH": f"{installed / 'env' / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [
        server / "bin" / "tritonserver",
        f"--model-repository={repository}",
        f"--backend-directory={server / 'backends'}",
        "--disable-auto-complete-config",
        "--allow-metrics=false",
        *("--http-address=127.0.0.1", f"--http-port={http}"),
        *("--grpc-address=127.0.0.1", f"--grpc-port={grpc}"),
    ]
    with pathlib.Path(log).open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        await_ready(process, f"http://127.0.0.1:{http}/v2/health/ready", log)
        yield f"http://127.0.0.1:{http}", f"grpc://127.0.0.1:{grpc}"
    finally:
        process.terminate()
        process.wait(60)


def await_ready(process, url, log, seconds=180):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            if urllib.request.urlopen(url, timeout=5).status == 200:
                return
        time.sleep(0.2)
    raise AssertionError(pathlib.Path(log).read_text(encoding="utf-8", errors="replace")[-3000:])
