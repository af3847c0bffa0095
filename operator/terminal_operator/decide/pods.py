"""What a pod's status means to a person: ready, starting, or the kubelet's own word for why not."""

from typing import Any

from terminal_operator.decide.writes import Problem, is_deleting

Manifest = dict[str, Any]

# What every start goes through; anything else that a container waits for is worth telling.
_ON_THE_WAY = frozenset({"ContainerCreating", "PodInitializing", ""})


def is_ready(pod: Manifest) -> bool:
    """Whether the pod answers."""
    return _condition(pod, "Ready").get("status") == "True" and not is_deleting(pod)


def pod_trouble(pod: Manifest) -> Problem | None:
    """Return why a pod is not getting ready, in the words of scheduler or kubelet, or None while it starts."""
    status = pod.get("status") or {}
    if status.get("phase") in {"Failed", "Succeeded"}:
        word = status.get("reason") or status["phase"]
        return Problem(word, status.get("message") or f"the pod has ended ({status['phase']})")
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return Problem(scheduled.get("reason") or "Unschedulable", scheduled.get("message", ""))
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason", "") not in _ON_THE_WAY:
            said, ended = waiting.get("message", ""), _last_end(container)
            # Of a crash the kubelet only says how long it waits; how the container ended says more.
            crashed = waiting["reason"] == "CrashLoopBackOff"
            return Problem(waiting["reason"], (ended or said) if crashed else (said or ended))
    return None


def started_at(pod: Manifest) -> str | None:
    """When the container that runs now was started."""
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        running = (container.get("state") or {}).get("running")
        if running:
            return str(running["startedAt"])
    return None


def _last_end(container: Manifest) -> str:
    ended = (container.get("lastState") or {}).get("terminated") or {}
    return f"{ended.get('reason', 'ended')} with exit code {ended.get('exitCode')}" if ended else ""


def _condition(pod: Manifest, wanted: str) -> Manifest:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"] == wanted), {})
