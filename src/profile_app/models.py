"""The tables of the profile component, in a schema of their own."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

SCHEMA = "profile"


class Table(DeclarativeBase):
    metadata = MetaData(
        schema=SCHEMA,
        naming_convention={"pk": "%(table_name)s_pkey", "ck": "%(table_name)s_%(constraint_name)s"},
    )
    type_annotation_map = {
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
    }


class Profile(Table):
    __tablename__ = "profiles"
    __table_args__ = (
        CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
        CheckConstraint("source IN ('mined', 'staff')", name="source"),
        CheckConstraint("version >= 1", name="version"),
    )

    slug: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    name: Mapped[str]
    description: Mapped[str]
    weights: Mapped[dict[str, Any]]  # {"category": {path: weight}, "brand": …, "price_band": …}
    source: Mapped[str]
    version: Mapped[int]
    updated_at: Mapped[datetime]


class Preferences(Table):
    __tablename__ = "preferences"
    __table_args__ = (CheckConstraint("sessions >= 10", name="sessions"),)

    item_id: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    sessions: Mapped[int]
    categories: Mapped[dict[str, Any]]  # path: weight
    brands: Mapped[dict[str, Any]]
    price_bands: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]
