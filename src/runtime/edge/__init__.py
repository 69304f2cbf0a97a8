"""What the router is made of: one public face for three components."""
