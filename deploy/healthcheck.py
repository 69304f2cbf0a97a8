"""The image's health check: does this process answer that it is alive, or at the path named?

It asks as a neighbour would: where components speak mutual TLS, with the process's certificate.
"""

import os
import ssl
import sys
import urllib.error
import urllib.request

path = sys.argv[1] if len(sys.argv) > 1 else "/livez"
folder = os.environ.get("MULTIRECO_TLS_DIR")
context = None
if folder:
    context = ssl.create_default_context(cafile=f"{folder}/ca.crt")
    context.load_cert_chain(f"{folder}/tls.crt", f"{folder}/tls.key")
url = f"{'https' if folder else 'http'}://127.0.0.1:{os.environ['PORT']}{path}"
try:
    with urllib.request.urlopen(url, timeout=4, context=context):
        pass
except (urllib.error.URLError, ConnectionError, TimeoutError) as trouble:
    sys.exit(f"it does not answer: {trouble}")
