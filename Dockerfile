# The image of Jackline: one process, no shell script, nothing writable but /data and /tmp.
#
#   docker build -t jackline .
#   docker run --read-only --tmpfs /tmp -v jackline-data:/data -p 8080:8080 --env-file jackline.env jackline
#
# Pin the base by digest in your own pipeline: --build-arg PYTHON_IMAGE=python@sha256:…
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_INPUT=1
WORKDIR /src
RUN python -m venv /venv && python -m venv /tools

# Dependencies first: this layer only changes when the lock does. Wheels only, so that
# installing never runs a stranger's build script.
COPY requirements.lock ./
RUN --mount=type=cache,target=/root/.cache/pip \
    /venv/bin/pip install --require-hashes --only-binary=:all: --requirement requirements.lock

# The build backend is pinned by hash too, in a venv that is thrown away.
# Renew: echo hatchling | uv pip compile --generate-hashes --no-annotate --python-version 3.11 -
COPY <<'LOCK' build.lock
hatchling==1.33.0 \
    --hash=sha256:415290b84f464d2884303fca8974d38e7b85579069fab02a15db0828fbb1446d \
    --hash=sha256:4c422bd4d554fcff5de5b73e9596f85e41e9f97f7e553d8f7595ecb31a627bef
packaging==26.3 \
    --hash=sha256:94edc256424af38762eb31306eed28beb9f0efc50a8837492c9d6fd6004aed79 \
    --hash=sha256:d7193f7c8e4e93f444fde0262bf90af30e16fa0ad0ad44cb553c87339b23cd1c
pathspec==1.1.1 \
    --hash=sha256:17db5ecd524104a120e173814c90367a96a98d07c45b2e10c2f3919fff91bf5a \
    --hash=sha256:a00ce642f577bf7f473932318056212bc4f8bfdf53128c78bbd5af0b9b20b189
pluggy==1.7.0 \
    --hash=sha256:7dd7b0d8832ba3cb632c306926ded123429211b83641b35dc5c41ad2d34f9bec \
    --hash=sha256:d1eaa46ebb595891b860ab086b4d09c8588af65ebd4361b8e8f4bb8920b90ba8
tomlkit==0.15.2 \
    --hash=sha256:05562412163a3037b94497385fb7f9204c637bc605af7a48199e41cf2272f437 \
    --hash=sha256:83e32755ba1d20d9340bd069ee97e9f6232ba2346b63ffcba425de01f7e327a6
trove-classifiers==2026.9.21.13 \
    --hash=sha256:0a9ebc8d4e2f3e8a22848c5258033035bec17a3012ac3fea16dbaa764489eb71 \
    --hash=sha256:8b1ff4f9c191b1040b71c37f1e445ab99732911e3cd91de52838453a854d7a17
LOCK
RUN --mount=type=cache,target=/root/.cache/pip \
    /tools/bin/pip install --require-hashes --only-binary=:all: --requirement build.lock

COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
COPY integrations ./integrations
# `pip check` fails the build when the lock no longer satisfies pyproject.toml.
# pip itself stays out of the image's venv.
RUN /tools/bin/pip wheel --no-build-isolation --no-deps --wheel-dir /dist . \
    && /venv/bin/pip install --no-deps --no-index /dist/*.whl \
    && /venv/bin/pip check \
    && /venv/bin/pip uninstall --yes pip setuptools


FROM ${PYTHON_IMAGE} AS runtime
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Jackline" \
      org.opencontainers.image.description="Incident response ChatOps that still works in the outage it is for" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# A passwd entry, because some libraries ask who they are; the USER below stays numeric,
# because Kubernetes can only check runAsNonRoot against a number.
RUN groupadd --gid 10001 jackline \
    && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin jackline \
    && install --directory --owner=10001 --group=10001 --mode=0700 /data

ENV PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MPLCONFIGDIR=/tmp \
    JACKLINE_HTTP_LISTEN=0.0.0.0:8080 \
    JACKLINE_DATA_DIR=/data \
    JACKLINE_RUNBOOKS_DIR=/app/runbooks

WORKDIR /app
COPY --from=build /venv /venv
COPY LICENSE ./
COPY runbooks ./runbooks

USER 10001:10001
EXPOSE 8080
VOLUME ["/data"]
STOPSIGNAL SIGTERM

# Plain http.client: no curl in the image, and a proxy in the environment is not asked.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['JACKLINE_HTTP_LISTEN'].rpartition(':')[2]), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]

ENTRYPOINT ["jackline"]
CMD ["serve"]
