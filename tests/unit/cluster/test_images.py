"""Images are named after their content, and built only when that changed."""

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from localcluster import addons, baseimage, buildah, imagebuild, imagelist
from localcluster.errors import ClusterError
from localcluster.imagelist import Image
from localcluster.nodeconfig import PAUSE_IMAGE
from localcluster.settings import Settings


@pytest.fixture
def image(tmp_path: Path) -> Image:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(
        "ARG BASE_IMAGE=python:3.12-slim\nFROM ${BASE_IMAGE}\nCOPY app.py /\n"
    )
    (context / "app.py").write_text("print(1)\n")
    return Image("unit", "ghcr.io/example/unit:1", context / "Dockerfile", context)


def test_the_key_follows_the_context_the_dockerfile_the_target_and_the_name(
    chosen: Settings, image: Image
) -> None:
    keys = {imagebuild.content_key(chosen, image)}
    keys.add(imagebuild.content_key(chosen, replace(image, target="slim")))
    keys.add(imagebuild.content_key(chosen, replace(image, name="ghcr.io/example/unit:2")))
    assert image.context
    (image.context / "app.py").write_text("print(2)\n")
    keys.add(imagebuild.content_key(chosen, image))
    image.dockerfile.write_text("FROM scratch\n")
    keys.add(imagebuild.content_key(chosen, image))
    assert len(keys) == 5


def test_the_key_follows_the_base(chosen: Settings, image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    before = imagebuild.content_key(chosen, image)
    monkeypatch.setattr(baseimage, "PACKAGES", ("python3",))
    assert imagebuild.content_key(chosen, image) != before


def test_a_folder_called_build_is_content_like_any_other(chosen: Settings, image: Image) -> None:
    before = imagebuild.content_key(chosen, image)
    assert image.context
    (image.context / "build").mkdir()
    (image.context / "build" / "pod.py").touch()
    assert imagebuild.content_key(chosen, image) != before


def test_an_image_that_is_built_is_taken_from_the_cache(chosen: Settings, image: Image) -> None:
    folder = chosen.images_dir / f"unit-{imagebuild.content_key(chosen, image)}"
    folder.mkdir(parents=True)
    (folder / "digest").write_text("sha256:1")
    [archive] = imagebuild.ensure_archives(chosen, [image])
    assert archive == imagebuild.Archive(image.name, folder / "image.tar", "sha256:1")


def test_an_image_without_a_dockerfile_is_named(chosen: Settings, image: Image) -> None:
    image.dockerfile.unlink()
    with pytest.raises(ClusterError, match="Dockerfile does not exist, so unit cannot be built"):
        imagebuild.ensure_archives(chosen, [image])


def test_docker_is_given_the_key_as_a_label_and_the_target(image: Image) -> None:
    assert image.context
    command = imagebuild.docker_build(replace(image, target="slim"), image.context, "k1")
    assert command[:2] == ["docker", "build"]
    assert f"{imagebuild.LABEL}=k1" in command
    assert command[command.index("--target") + 1] == "slim"
    assert command[-1] == str(image.context)


def test_the_digest_is_read_from_the_archive(tmp_path: Path) -> None:
    index = json.dumps({"manifests": [{"digest": "sha256:abc"}]}).encode()
    with tarfile.open(tmp_path / "image.tar", "w") as tar:
        entry = tarfile.TarInfo("index.json")
        entry.size = len(index)
        tar.addfile(entry, io.BytesIO(index))
    assert buildah.archive_digest(tmp_path / "image.tar") == "sha256:abc"


def test_an_image_is_found_by_its_short_name_or_its_name_in_the_cluster() -> None:
    operator = imagelist.find("operator")
    assert imagelist.find("ghcr.io/terminal-operator/terminal-operator:0.1.0") == operator
    with pytest.raises(ClusterError, match="known: operator, terminal"):
        imagelist.find("opertor")


def images_in(manifest: Path) -> set[str]:
    """Images of every Pod template in a manifest."""
    pods = [
        document["spec"]["template"]["spec"]
        for document in yaml.safe_load_all(manifest.read_text())
        if document["kind"] == "Deployment"
    ]
    return {container["image"] for pod in pods for container in pod["containers"]}


def test_every_image_in_the_manifests_is_made_here_and_the_other_way_round() -> None:
    used = set[str]().union(*map(images_in, addons.MANIFESTS.glob("*.yaml")))
    made = {image.name for image in imagelist.node_images()}
    assert used == made - {PAUSE_IMAGE}


def test_every_image_of_the_node_has_its_dockerfile() -> None:
    assert [image.short for image in imagelist.node_images() if not image.dockerfile.exists()] == []


def test_the_manifests_make_what_up_waits_for() -> None:
    made = {
        addons.Deployment(document["metadata"]["namespace"], document["metadata"]["name"])
        for manifest in addons.MANIFESTS.glob("*.yaml")
        for document in yaml.safe_load_all(manifest.read_text())
        if document["kind"] == "Deployment"
    }
    assert made == set(addons.ALL)
