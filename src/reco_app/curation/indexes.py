"""What the admin's lists and the followers look products up by."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Upper


class CategoryTree(Func):
    """All paths of a product's categories and of what lies above them (see migration 0001)."""

    function = "curation_category_tree"
    output_field = ArrayField(models.TextField())


PRODUCT: list[models.Index] = [
    models.Index(F("version"), name="curation_product_version"),
    models.Index(F("brand"), name="curation_product_brand"),
    models.Index(F("availability"), F("item_id"), name="curation_product_available"),
    models.Index(F("item_id"), name="curation_product_hidden", condition=Q(visible=False)),
    models.Index(
        F("item_id"), name="curation_product_retired", condition=Q(retired_at__isnull=False)
    ),
    GinIndex(OpClass(Upper("item_id"), "gin_trgm_ops"), name="curation_product_id_trgm"),
    GinIndex(OpClass(Upper("title"), "gin_trgm_ops"), name="curation_product_title_trgm"),
    GinIndex(CategoryTree(F("categories")), name="curation_product_categories"),
]
