"""The warehouse: what dbt built is read here, and the sent log is published here.

DuckDB lets one process write and then lets nobody read: every connection is opened late, kept short,
and waited for when it is busy.
"""

from uploader.warehouse.duckdb import Connection, Visits, reading, writing
from uploader.warehouse.profile import Profile, read_profile

__all__ = ["Connection", "Profile", "Visits", "read_profile", "reading", "writing"]
