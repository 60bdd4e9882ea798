# One image for the workers (its default), the migrations (`redress migrate`) and the command line (`redress ...`).
# It has no HEALTHCHECK of its own because only a worker can be healthy: see the worker in docker-compose.yml.

FROM python:3.13.15-slim-trixie AS build
WORKDIR /app
COPY requirements/ requirements/
# Everything that is installed, pip and the build backend included, is held against the hashes of the two lock files.
RUN sed -n '/^pip==/,/^    # via/p' requirements/dev.txt > /tmp/pip.txt \
    && pip install --no-cache-dir --require-hashes --requirement /tmp/pip.txt \
    && pip install --no-cache-dir --constraint requirements/dev.txt --target /opt/backend hatchling \
    && python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv install --no-cache-dir --require-hashes --requirement requirements/runtime.txt
# Editable: what runs is the one copy of the code in /app, for `python worker.py` and for `redress` alike.
COPY pyproject.toml hatch_build.py README.md LICENSE ./
RUN PYTHONPATH=/opt/backend pip --python /opt/venv install --no-cache-dir --no-deps --no-build-isolation --editable .

FROM python:3.13.15-slim-trixie
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /app --shell /usr/sbin/nologin redress \
    && install -d -o 10001 -g 10001 -m 700 /keys/signing /keys/customers /keys/issuers /keys/checkpoints /checkpoints /outbox
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY pyproject.toml README.md LICENSE worker.py ./
COPY migrations/ migrations/
COPY policies/ policies/
COPY templates/ templates/
COPY corpus/ corpus/
COPY deploy/worker_health.py deploy/
COPY domain/ domain/
COPY record/ record/
COPY runtime/ runtime/
COPY activities/ activities/
COPY workflows/ workflows/
COPY starter/ starter/
COPY recovery/ recovery/
COPY web/ web/
COPY channels/ channels/
RUN python -m compileall -q .
USER 10001:10001
CMD ["python", "worker.py"]
