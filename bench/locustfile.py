"""A load test of your own shop: `locust -f bench/locustfile.py --host https://shop.example`.

Visitors look at products, put some into baskets, are recommended more and tell what they did. KEY,
a key with the scope `events`, lets events in at a backend's rate; without one they are a browser's.
"""

import os
import random
import uuid

from locust import FastHttpUser, between, task
from locust.exception import StopUser

KEY = os.environ.get("KEY")
known: list[str] = []


class Visitor(FastHttpUser):
    """One visit, of about a click every two seconds."""

    wait_time = between(1, 3)

    def on_start(self):
        if not known:
            self._learn_products()
        self.session = uuid.uuid4().hex
        self.seen = [random.choice(known)]

    @task(6)
    def look(self):
        """A product's page: what is similar, and a view told."""
        item = self._next()
        self.client.get(f"/v1/products/{item}", name="/v1/products/{id}")
        query = f"/v1/recommendations?scenario=similar&item=view:{item}"
        self.client.get(query, name="/v1/recommendations (GET)")
        self._tell("view", item)

    @task(2)
    def be_advised(self):
        items = [{"item_id": item} for item in self.seen[-5:]]
        self._recommend({"scenario": "session", "items": items})

    @task(1)
    def buy(self):
        item = self.seen[-1]
        self._tell("add-to-cart", item)
        items = [{"item_id": item, "event_type": "add-to-cart"}]
        self._recommend({"scenario": "basket", "items": items})

    def _learn_products(self):
        """The first hundred of the catalogue."""
        listed = self.client.get("/v1/products?limit=100", name="/v1/products").json()
        known.extend(product["id"] for product in listed["products"])
        if not known:
            raise StopUser("the shop has no products")

    def _next(self):
        self.seen.append(random.choice(known))
        return self.seen[-1]

    def _recommend(self, question):
        with self.client.post("/v1/recommendations", json=question, catch_response=True) as answer:
            if answer.ok and not answer.json()["items"]:
                answer.failure("nothing is recommended")

    def _tell(self, event_type, item):
        event = {
            "event_id": uuid.uuid4().hex,
            "session_id": self.session,
            "event_type": event_type,
            "item_id": item,
        }
        headers = {"Authorization": f"Bearer {KEY}"} if KEY else {}
        body = {"events": [event], "consent": True}
        self.client.post("/v1/events", json=body, headers=headers)
