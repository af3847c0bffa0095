"""Certificates and kubeconfigs of one cluster, made by openssl, kept between runs.

They are made again when what they say would differ (another name, an older layout of this file).
"""

from __future__ import annotations

import base64
import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localcluster import files
from localcluster.addresses import API_PORT, API_SERVICE_IP, NODE_IP
from localcluster.errors import ClusterError

if TYPE_CHECKING:
    from pathlib import Path

    from localcluster.settings import Settings

_DAYS = "3650"
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
# Clients of today check certificates by the letter of RFC 5280: Python does so since 3.13.
_CA_EXTENSIONS = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
_LEAF_EXTENSIONS = (
    "extendedKeyUsage=serverAuth,clientAuth",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid",
)
_API_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")
_LONG_API_NAME = "kubernetes.default.svc.cluster.local"


@dataclass(frozen=True)
class Certificate:
    """What one certificate of the cluster says about its holder."""

    name: str
    subject: str
    alternative_names: tuple[str, ...] = ()
    kubeconfig: bool = False


def certificates(node_name: str) -> tuple[Certificate, ...]:
    """Everyone who talks to the API server, and who answers for it and for the kubelet."""
    api_names = (*(f"DNS:{name}" for name in (*_API_NAMES, _LONG_API_NAME)),)
    api_addresses = ("IP:127.0.0.1", f"IP:{API_SERVICE_IP}", f"IP:{NODE_IP}")
    return (
        Certificate("apiserver", "/CN=kube-apiserver", api_names + api_addresses),
        Certificate("kubelet-client", "/O=system:masters/CN=apiserver-kubelet"),
        Certificate("admin", "/O=system:masters/CN=admin", kubeconfig=True),
        Certificate("controller-manager", "/CN=system:kube-controller-manager", kubeconfig=True),
        Certificate("scheduler", "/CN=system:kube-scheduler", kubeconfig=True),
        Certificate("proxy", "/CN=system:kube-proxy", kubeconfig=True),
        Certificate("network-policy", "/O=system:masters/CN=kube-router", kubeconfig=True),
        Certificate(
            "node",
            f"/O=system:nodes/CN=system:node:{node_name}",
            (f"DNS:{node_name}", f"IP:{NODE_IP}"),
            kubeconfig=True,
        ),
    )


def ensure(settings: Settings) -> None:
    """Make the folder of certificates unless it is there, and the kubeconfig for this machine."""
    wanted = certificates(settings.node_name)
    key = files.content_key([repr(wanted), _DAYS, *_CURVE, *_CA_EXTENSIONS, *_LEAF_EXTENSIONS])
    marker = settings.pki_dir / "key"
    if not marker.exists() or marker.read_text() != key:
        with files.building(settings.pki_dir) as unfinished:
            unfinished.chmod(0o700)
            _make(unfinished, wanted)
            files.write(unfinished / "key", key)
    text = _kubeconfig(settings.pki_dir, "admin", settings.name, f"https://127.0.0.1:{settings.api_port}")
    files.write(settings.kubeconfig, text, mode=0o600)


def _make(folder: Path, wanted: tuple[Certificate, ...]) -> None:
    _openssl(folder, "req", "-x509", *_CURVE, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=cluster-ca",
             "-days", _DAYS, *_CA_EXTENSIONS)  # fmt: skip
    for certificate in wanted:
        _sign(folder, certificate)
    _openssl(folder, "genrsa", "-out", "sa.key", "2048")
    _openssl(folder, "rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")
    for certificate in wanted:
        if certificate.kubeconfig:
            text = _kubeconfig(folder, certificate.name, "cluster", f"https://{NODE_IP}:{API_PORT}")
            files.write(folder / f"{certificate.name}.kubeconfig", text, mode=0o600)


def _sign(folder: Path, certificate: Certificate) -> None:
    name = certificate.name
    extensions = list(_LEAF_EXTENSIONS)
    if certificate.alternative_names:
        extensions.append(f"subjectAltName={','.join(certificate.alternative_names)}")
    (folder / f"{name}.ext").write_text("\n".join(extensions) + "\n")
    _openssl(folder, "req", *_CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr",
             "-subj", certificate.subject)  # fmt: skip
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
             "-CAcreateserial", "-days", _DAYS, "-out", f"{name}.crt", "-extfile", f"{name}.ext")  # fmt: skip
    for scrap in ("csr", "ext"):
        (folder / f"{name}.{scrap}").unlink()


def _openssl(folder: Path, *arguments: str) -> None:
    answer = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ClusterError(f"openssl {' '.join(arguments)} failed:\n{answer.stderr}")


def _kubeconfig(pki: Path, user: str, context: str, server: str) -> str:
    """A kubeconfig with everything inside, as JSON (which is YAML too)."""

    def inlined(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [
            {"name": context, "cluster": {"server": server, "certificate-authority-data": inlined("ca.crt")}}
        ],
        "users": [
            {
                "name": context,
                "user": {
                    "client-certificate-data": inlined(f"{user}.crt"),
                    "client-key-data": inlined(f"{user}.key"),
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
    }
    return json.dumps(config, indent=2) + "\n"
