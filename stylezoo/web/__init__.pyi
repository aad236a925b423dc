from .defaults import missing_exports
from .runtime import runtime_folder
from .server import Server
from .site import Site, build_site, write_site

__all__ = [
    "Server",
    "Site",
    "build_site",
    "missing_exports",
    "runtime_folder",
    "write_site",
]
