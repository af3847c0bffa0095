"""However a cluster ends, nothing is left and the next `up` works; and two do not know of each other."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest
from localcluster import namespace, nodeconfig, processes
from localcluster.paths import launch_record, state_file

from tests.cluster.clusters import Cluster, eventually

# Clusters come up and go down several times, beside the tests of another.
pytestmark = pytest.mark.timeout(900)


def interfaces() -> list[str]:
    """Network interfaces of the machine."""
    return sorted(path.name for path in Path("/sys/class/net").iterdir())


def mounts(cluster: Cluster) -> list[str]:
    """Mounts of the machine that have to do with a cluster."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if str(cluster.settings.cluster_dir) in line]


def control_groups(cluster: Cluster) -> list[Path]:
    """Control groups that carry the cluster's name."""
    name = nodeconfig.cgroup(cluster.settings)
    return [top / name for top in namespace.cgroup_hierarchies() if (top / name).exists()]


def test_down_leaves_no_process_mount_interface_or_port(cluster: Cluster) -> None:
    namespace_inside = cluster.pid_namespace()
    assert len(processes.host_pids(namespace_inside)) > 9
    assert control_groups(cluster)
    before = interfaces()
    cluster.do("down")
    assert processes.host_pids(namespace_inside) == {}
    assert mounts(cluster) == []
    assert interfaces() == before
    eventually(lambda: control_groups(cluster) == [], "its control groups are gone")
    assert not cluster.settings.volatile_dir.exists()
    for port in (cluster.api_port, cluster.http_port):
        with socket.create_server(("127.0.0.1", port)):
            pass
    cluster.do("down")  # twice is harmless
    done = cluster.run("status")
    assert done.returncode == 1
    assert "NOT up" in done.stdout


def test_nothing_of_a_running_cluster_shows_on_the_machine(cluster: Cluster) -> None:
    assert mounts(cluster) == []
    assert "node0" not in interfaces()
    assert not Path("/run/containerd/containerd.sock").exists()


def test_images_are_kept_for_the_next_run_but_neither_objects_nor_containers(cluster: Cluster) -> None:
    cluster.kubectl("create", "namespace", "of-this-run")
    # A name that `up` knows nothing of: what it misses it would put in again.
    cluster.ctr("images", "tag", "--force", "docker.io/library/traefik:v3.7.9", "localhost/kept:1")
    cluster.do("down")
    cluster.do("up")
    assert "localhost/kept:1" in cluster.ctr("images", "list", "--quiet")
    assert "of-this-run" not in cluster.kubectl("get", "namespaces")
    assert cluster.restarts() == ["0"] * 3
    assert (
        len(cluster.ctr("containers", "list", "--quiet")) == 6
    )  # for each Pod its sandbox and its container


def kill(process: subprocess.Popen[bytes]) -> None:
    """End `up` without a chance to tidy."""
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("moment", ["its process is on record", "its components run"])
def test_an_up_killed_halfway_is_repaired_by_the_next(first: Cluster, moment: str) -> None:
    first.do("down")
    path = {"its process is on record": launch_record, "its components run": state_file}[moment]
    process = first.up_in_the_background()
    eventually(path(first.settings).exists, moment)
    kill(process)
    first.do("up")
    eventually(first.is_up, "it is up")
    assert len(holders(first)) == 1


def holders(cluster: Cluster) -> list[int]:
    """Every process that holds this cluster: there must never be two."""
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            words = (directory / "cmdline").read_bytes().split(b"\0")
            environment = (directory / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        ours = f"CLUSTER_NAME={cluster.name}".encode() in environment
        if words[0] == b"unshare" and ours:
            found.append(int(directory.name))
    return found


def test_two_ups_at_once_make_one_cluster(first: Cluster) -> None:
    first.do("down")
    background = first.up_in_the_background()
    first.do("up")
    assert background.wait(timeout=240) == 0
    assert len(holders(first)) == 1


def test_a_cluster_that_was_killed_is_noticed_and_made_again(cluster: Cluster) -> None:
    """Even if its pid is somebody else's by then."""
    inside = cluster.pid_namespace()
    os.kill(cluster.holder(), signal.SIGKILL)
    eventually(lambda: processes.host_pids(inside) == {}, "everything ended with its one process")
    assert not cluster.is_up()
    with subprocess.Popen(["sleep", "300"]) as bystander:
        who = processes.identity(bystander.pid)
        assert who
        processes.record(launch_record(cluster.settings), replace(who, started=who.started - 5))
        cluster.do("up")
        assert cluster.holder() != bystander.pid
        assert bystander.poll() is None
        bystander.kill()


def test_two_clusters_at_once_do_not_know_of_each_other(cluster: Cluster, second: Cluster) -> None:
    before = cluster.rows()
    second.do("up")
    try:
        second.kubectl("create", "namespace", "only-here")
        assert "only-here" not in cluster.kubectl("get", "namespaces")
        assert cluster.pid_namespace() != second.pid_namespace()
        for each in (cluster, second):
            assert each.pod_processes()
            assert all(f"/terminal-operator-{each.name}/kubepods/" in group for group in each.pod_processes())
        # Longer than a kubelet takes to tidy up what it does not know.
        time.sleep(5)
        for each in (cluster, second):
            # A busy machine may answer late; what was ended, if only for a moment, is told by its pid and its restarts.
            eventually(each.is_up, f"{each.name} is up")
            assert each.restarts() == ["0"] * 3
    finally:
        second.do("down")
    eventually(cluster.is_up, "the first is up still")
    assert {name: row["pid"] for name, row in cluster.rows().items()} == {
        name: row["pid"] for name, row in before.items()
    }
