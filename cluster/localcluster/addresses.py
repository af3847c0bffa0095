"""Addresses inside the node's own network: the same for every cluster, as none can see another's."""

NODE_IP = "10.200.0.1"
NODE_PREFIX = 24
UPSTREAM_DNS = "10.200.1.53"  # pasta answers here with whatever resolver the machine uses
SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_IP = "10.96.0.1"
DNS_SERVICE_IP = "10.96.0.10"
CLUSTER_CIDR = "10.244.0.0/16"
POD_CIDR = "10.244.0.0/24"
API_PORT = 6443
HTTP_PORT = 80
