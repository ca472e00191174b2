"""Run by alembic with the connection, and inside the transaction, that `schema.upgrade` opened."""

from alembic import context

from paging.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
)
context.run_migrations()
