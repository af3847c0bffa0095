"""Python packages made up by a test, as pods of the tests reach no package index."""

import shlex

_MAKE = """
import sys, zipfile
for name, version, source in zip(*[iter(sys.argv[1:])] * 3):
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", source)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
"""


def make_wheels(*names_versions_sources: str) -> str:
    """Return a command that writes a wheel into its working directory for each name, version and source of a module."""
    return shlex.join(["python3", "-c", _MAKE, *names_versions_sources])
