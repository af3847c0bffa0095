"""Which files are the kernel's: they have neither size nor end, and nothing can be kept there."""

_FOLDERS = ("/proc/", "/sys/", "/dev/")
_SHARED_MEMORY = "/dev/shm/"  # noqa: S108 - not used as a temporary folder here


def is_kernels(path: object) -> bool:
    """Tell whether an absolute path, all links followed, is in one of the kernel's folders."""
    text = f"{path}/"
    return text.startswith(_FOLDERS) and not text.startswith(_SHARED_MEMORY)
