"""The files for schedulers that the documentation shows: valid, and each worker learns which one it is."""

import json
import os
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page, language):
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def parts(page):
    return [part for block in blocks(page, "yaml") for part in yaml.safe_load_all(block)]


def script(page):
    (found,) = (block for block in blocks(page, "(?:ba)?sh") if block.startswith("#!"))
    return found


@pytest.mark.parametrize("page", ["batch.md", "cluster.md"])
def test_kubernetes_files_are_valid(page):
    assert parts(page)
    for part in parts(page):
        kubernetes_validate.validate(part, "1.33", strict=True)


def test_kubernetes_tells_each_worker_which_one_it_is():
    service, job = parts("cluster.md")
    spec = job["spec"]
    pod = spec["template"]["spec"]
    index, cluster = pod["containers"][0]["env"]
    # A variable is replaced by one that stands before it. An indexed job's own stands last.
    assert index["name"] == "JOB_COMPLETION_INDEX"
    name, service_name = job["metadata"]["name"], service["metadata"]["name"]
    assert pod["subdomain"] == service_name
    assert service["spec"]["selector"] == {"job-name": name}
    for number in range(spec["completions"]):
        config = json.loads(cluster["value"].replace("$(JOB_COMPLETION_INDEX)", str(number)))
        hosts = [f"{name}-{each}.{service_name}:2222" for each in range(spec["completions"])]
        assert config == {
            "cluster": {"worker": hosts},
            "task": {"type": "worker", "index": number},
        }


# Slurm's programs, as far as the scripts use them: two nodes, a worker of which fails the first time.
PROGRAMS = {
    "scontrol": 'test "$*" = "show hostnames node[1-2]" && printf "node1\\nnode2\\n"',
    "srun": 'test "$1" = --kill-on-bad-exit=1 && shift\nSLURM_PROCID=0 "$@" & SLURM_PROCID=1 "$@"\nwait $!',
    "stylezoo": 'echo "$TF_CONFIG" "$@" >> started\ntest "$(wc -l < started)" -gt 2',
}


@pytest.fixture
def slurm(tmp_path):
    for name, body in PROGRAMS.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        program.chmod(0o755)
    return tmp_path


def run(folder, text, **variables):
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", **variables}
    subprocess.run(["bash", "-e", "-c", text], cwd=folder, env=environment, check=True, timeout=60)
    return (folder / "started").read_text(encoding="utf-8").splitlines()


def test_slurm_tells_each_worker_which_one_it_is_and_starts_them_again(slurm):
    started = run(slurm, script("cluster.md"), SLURM_JOB_NODELIST="node[1-2]")
    assert len(started) == 4
    for pair in (started[:2], started[2:]):
        configs = [json.JSONDecoder().raw_decode(line)[0] for line in pair]
        assert sorted(config["task"]["index"] for config in configs) == [0, 1]
        for config in configs:
            assert config["cluster"] == {"worker": ["node1:2222", "node2:2222"]}
            assert config["task"]["type"] == "worker"
    assert all(
        " train_style " in line and "--distribution=multi_worker" in line for line in started
    )


def test_slurm_gives_each_job_of_an_array_its_share(slurm):
    (slurm / "started").write_text("\n\n", encoding="utf-8")
    *_, line = run(slurm, script("batch.md"), SLURM_ARRAY_TASK_ID="3")
    assert "--shard=3/8 --manifest=painted-3.jsonl" in line
