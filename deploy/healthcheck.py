"""The image's health check: does this process answer that it is alive?"""

import os
import sys
import urllib.error
import urllib.request

try:
    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}/livez", timeout=4):
        pass
except (urllib.error.URLError, ConnectionError, TimeoutError) as trouble:
    sys.exit(f"it does not answer: {trouble}")
