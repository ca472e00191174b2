"""Bring a database to the newest schema, whole or not at all."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from paging.errors import UnavailableError
from paging.store.database import connect, file_of

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> tuple[str | None, str]:
    """Upgrade in one BEGIN IMMEDIATE transaction; return the revisions before and after.

    A kill in the middle leaves the old schema; a second upgrade at the same time waits, then finds
    nothing to do. Raises UnavailableError.
    """
    engine = connect(url)
    try:
        with engine.connect() as conn:
            conn.exec_driver_sql("BEGIN IMMEDIATE")
            before = revision(conn)
            config = _config()
            config.attributes["connection"] = conn
            command.upgrade(config, "head")
            conn.exec_driver_sql("COMMIT")
            return before, newest()
    except SQLAlchemyError as exc:
        raise UnavailableError(f"{file_of(url)}: cannot be opened or written") from exc
    finally:
        engine.dispose()


def revision(conn: Connection) -> str | None:
    """Return the schema that the database has; None for an empty one."""
    return MigrationContext.configure(conn).get_current_revision()


def newest() -> str:
    """Return the schema that this program needs."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
