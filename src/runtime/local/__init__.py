"""The laptop's half of the product: stores from wheels, and the processes beside them.

Production never imports this package; it is given addresses instead.
"""
