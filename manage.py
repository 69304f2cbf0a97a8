#!/usr/bin/env python
from reco_app.command import main

if __name__ == "__main__":
    main()
