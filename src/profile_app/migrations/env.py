"""Runs the migrations on the connection that profile_app.migrate hands in."""

from alembic import context

from profile_app.models import SCHEMA, Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    version_table_schema=SCHEMA,
)
with context.begin_transaction():
    context.run_migrations()
