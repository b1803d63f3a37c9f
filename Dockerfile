# The whole dashboard in one image. PyTorch's CUDA build runs on the GPU where there is one
# (docker run --gpus all), else on the CPU.
#   docker build -t laterna .
#   docker run --rm --gpus all -p 127.0.0.1:8000:8000 -v laterna:/data laterna
FROM python:3.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    HOST=0.0.0.0 PORT=8000 LATERNA_DATA_DIR=/data/laterna LATERNA_MODELS_DIR=/srv/laterna/models

WORKDIR /srv/laterna
COPY requirements/tools.txt requirements/run.txt requirements/
RUN python -m venv /opt/tools \
    && /opt/tools/bin/pip install --require-hashes -r requirements/tools.txt \
    && /opt/tools/bin/uv venv /opt/laterna \
    && /opt/tools/bin/uv pip install --no-cache --python /opt/laterna/bin/python \
       --require-hashes -r requirements/run.txt

COPY app app
COPY templates templates
COPY static static
COPY locales locales
COPY models/catalogue.toml models/README.md models/

# Pictures, results, the database and weights live in one volume, owned by a user without rights.
RUN useradd --system --uid 10001 --home-dir /data --no-create-home laterna \
    && mkdir -p /data/laterna /data/weights \
    && ln -s /data/weights models/weights \
    && chown -R laterna /data
USER 10001
VOLUME /data
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["/opt/laterna/bin/python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=2)"]

CMD ["/opt/laterna/bin/python", "-m", "app"]
