"""What the operator counts. Labels are bounded: kinds, verbs and outcomes, never an object's name."""

from prometheus_client import Counter, Gauge, Histogram

API_REQUESTS = Counter(
    "terminal_operator_api_requests_total",
    "Requests to the API server, without watches.",
    ["method", "kind", "status"],
)
RECONCILES = Counter("terminal_operator_reconciles_total", "Passes over one Terminal.", ["outcome"])
RECONCILE_SECONDS = Histogram(
    "terminal_operator_reconcile_seconds",
    "Seconds that one pass over a Terminal took.",
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60),
)
QUEUE_DEPTH = Gauge("terminal_operator_queue_depth", "Terminals waiting for a pass.")
LEADER = Gauge("terminal_operator_leader", "1 in the active operator, 0 in a standby.")
TERMINALS = Gauge("terminal_operator_terminals", "Terminals known.")
