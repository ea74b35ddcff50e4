"""A real HTTP server on this machine that answers as catalogues did, or as broken ones would."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from core.catalog import Offer
from core.refresh.catalogues import PATHS

HEADER = "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone"
# Lines as the catalogues have them, with rows without GPUs, quotes within fields and numbers such as 8.0.
ORACLE = """\
VM.Standard.E4.Flex$_2_8,,,2,8,,0.037,0.0185,us-ashburn-1,US-ASHBURN-1-AD-1
BM.GPU.H100.8,H100,8,224,2048,"{'Gpus': [{'Name': 'H100', 'Count': 8}]}",80,,us-ashburn-1,AD-1
BM.GPU.H100.8,H100,8,224,2048,"{'Gpus': [{'Name': 'H100', 'Count': 8}]}",80,,af-casablanca-1,AD-1
"""

Answer = Callable[[BaseHTTPRequestHandler], None]


def catalogue(lines: str) -> bytes:
    return f"{HEADER}\n{lines}".encode()


def line(instance: str, **values: object) -> str:
    """Return one row; *values* are gpus, price, spot, region and accelerator."""
    told = {"gpus": 8.0, "price": 80.0, "spot": "", "region": "us-ashburn-1", "accelerator": "H100"} | values
    text = io.StringIO()
    host = (224, 2048, "{'a': 'b', 'c': 1}")
    places = (told["price"], told["spot"], told["region"], "zone")
    csv.writer(text, lineterminator="\n").writerow(
        (instance, told["accelerator"], told["gpus"], *host, *places)
    )
    return text.getvalue()


def mirrored(
    offers: Mapping[str, Offer], change: Callable[[Offer], Mapping[str, object]] | None = None
) -> dict[str, str]:
    """Return catalogues that say of *offers* what they say now, but for what *change* gives of a row."""
    found = dict.fromkeys(PATHS, "")
    for offer in offers.values():
        if offer.cloud not in found:
            continue
        name = f"Standard_{offer.instance}" if offer.cloud == "azure" else offer.instance
        region = {"all": "us-east-1", "FIN": "FIN-01"}.get(offer.region, offer.region)
        told: dict[str, object] = {"gpus": float(offer.gpus), "price": offer.usd_per_hour, "region": region}
        changes = dict(change(offer)) if change else {}
        for spot in (offer.spot_low, offer.spot_median, offer.spot_high) if offer.spot_low else ("",):
            found[offer.cloud] += line(name, **({"spot": spot} | told | changes))
    return found


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in ({"Content_Length": str(len(body))} | headers).items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def served(answers: Mapping[str, Answer | bytes | str]) -> Iterator[tuple[str, list[str]]]:
    """Serve *answers* by cloud; give the address and the paths that are asked for."""
    asked: list[str] = []
    by_path = {f"/{PATHS[cloud]}": answer for cloud, answer in answers.items()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            answer = by_path.get(self.path)
            try:
                if answer is None:
                    send(self, b"404: Not Found", 404)
                elif callable(answer):
                    answer(self)
                else:
                    send(self, catalogue(answer) if isinstance(answer, str) else answer)
            except (BrokenPipeError, ConnectionResetError):
                pass

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
