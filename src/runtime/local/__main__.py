"""python -m runtime.local {demo,split,stores}"""

import argparse
import subprocess
import sys
import threading
from pathlib import Path

from runtime.local import demo, stores
from runtime.local.certificates import Authority
from runtime.local.packages import NotInstalled
from runtime.local.processes import ROOT, start_mounted, start_split
from runtime.local.secured import start_secured
from runtime.local.servers import ServerFailed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m runtime.local", description=__doc__)
    parser.add_argument("what", choices=("demo", "split", "stores"))
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--tls", action="store_true", help="split: behind NGINX, with mutual TLS")
    parser.add_argument("--data", type=Path, default=ROOT / ".data")
    chosen = parser.parse_args()
    chosen.data = chosen.data.resolve()  # PostgreSQL may run as another user, elsewhere
    try:
        if chosen.what == "stores":
            _stores(chosen.data)
        elif chosen.tls and chosen.what == "split":
            authority = Authority(chosen.data / "tls")
            demo.serve(chosen.data, port=chosen.port, start=start_secured, authority=authority)
        else:
            start = start_mounted if chosen.what == "demo" else start_split
            demo.serve(chosen.data, port=chosen.port, start=start)
    except (demo.Refused, NotInstalled, ServerFailed) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    except subprocess.CalledProcessError as failure:
        sys.stderr.write(f"{' '.join(failure.cmd)} failed; what it said is above.\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _stores(data: Path) -> None:
    with stores.embedded(data, given={}) as addresses:
        for key, address in addresses.items():
            sys.stdout.write(f"export {key}='{address}'\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
