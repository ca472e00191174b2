"""The rows. The only room of `paging` that knows SQLAlchemy."""

import contextlib
from collections.abc import Generator

from sqlalchemy import Connection as Transaction

__all__ = ["Transaction", "savepoint"]


@contextlib.contextmanager
def savepoint(conn: Transaction) -> Generator[None]:
    """Undo what this block wrote, and nothing else, when it raises. They may be nested."""
    conn.exec_driver_sql("SAVEPOINT part")
    try:
        yield
    except BaseException:
        conn.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
        raise
    finally:
        conn.exec_driver_sql("RELEASE SAVEPOINT part")
