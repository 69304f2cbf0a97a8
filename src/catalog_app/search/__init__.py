"""A compact copy of what the catalogue can be searched by, in the memory of each process."""
