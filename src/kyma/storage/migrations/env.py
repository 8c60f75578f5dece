"""Runs revisions on the connection that `kyma.storage.migrate` hands in; it opens none of its own."""

from alembic import context

from kyma.storage.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
