"""The rows. The only room of `paging` that knows SQLAlchemy."""

from sqlalchemy import Connection as Transaction

__all__ = ["Transaction"]
