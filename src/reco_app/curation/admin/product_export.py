"""Products as a table that an import takes back."""

from typing import Any

import orjson
from import_export import fields, resources

from reco_app.curation.cells import LIST_SEPARATOR
from reco_app.curation.models import Product


class ProductExport(resources.ModelResource):
    """Lists are written out as cells of a feed have them, attributes as a map in JSON."""

    item_id = fields.Field(attribute="item_id", column_name="id")

    class Meta:
        model = Product
        exclude = ("retired_at", "updated_at", "version")
        export_order = ("item_id", "title", "brand", "categories", "price", "sale_price")
        chunk_size = 2000

    def dehydrate_categories(self, product: Any) -> str:
        return LIST_SEPARATOR.join(product.categories)

    def dehydrate_tags(self, product: Any) -> str:
        return LIST_SEPARATOR.join(product.tags)

    def dehydrate_attributes(self, product: Any) -> str:
        return orjson.dumps(product.attributes).decode()

    def dehydrate_visible(self, product: Any) -> str:
        return "true" if product.visible else "false"

    def dehydrate_published_at(self, product: Any) -> str:
        return str(product.published_at.isoformat())
