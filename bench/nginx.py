"""nginx as a plain proxy with keep-alive on both sides: the measure every figure is paired with."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.upstream.process import tethered

from bench.cores import on_the_targets_core
from bench.target import Target, free_port, wait_until_open

# One process without a master: the proxying is the same, and nothing is left behind if the bench is killed.
CONFIG = """
daemon off;
master_process off;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 10000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream mock {{
        server 127.0.0.1:{upstream_port};
        keepalive 256;
        keepalive_requests 100000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        keepalive_requests 100000000;
        location / {{
            proxy_pass http://mock;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_read_timeout 300s;
        }}
    }}
}}
"""


@contextmanager
def running_nginx(program: str, upstream_port: int, name: str = "nginx") -> Iterator[Target]:
    """An nginx in front of the mock, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="kyma-bench-nginx-") as folder:
        port = free_port()
        config = Path(folder) / "nginx.conf"
        config.write_text(CONFIG.format(folder=folder, port=port, upstream_port=upstream_port))
        command = tethered([program, "-p", folder, "-e", f"{folder}/error.log", "-c", str(config)])
        with on_the_targets_core():
            process = subprocess.Popen(command)
        try:
            wait_until_open(port, process)
            yield Target(name, port, process.pid)
        finally:
            process.terminate()
            process.wait(10)
