# One image, the role is the command: api, worker, up, migrate (and any other `jobmill` verb).
#
#   docker build -t jobmill .
#   docker run --rm jobmill types

FROM python:3.13-slim AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/jobmill
# The pins change seldom, so this layer is reused while the code changes.
COPY requirements.txt ./
RUN /opt/jobmill/bin/pip install -r requirements.txt
COPY . .
RUN /opt/jobmill/bin/pip install --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin jobmill \
    && install -d -o jobmill -g jobmill -m 0700 /data
COPY --from=build /opt/jobmill /opt/jobmill
COPY deploy/alive.py /opt/jobmill/alive.py
ENV PATH=/opt/jobmill/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    JOBMILL_HOME=/data \
    JOBMILL_LOG_FORMAT=json
USER jobmill
WORKDIR /data
VOLUME /data
EXPOSE 3000 9464
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=10s --timeout=6s --start-period=20s --retries=3 \
    CMD ["python", "/opt/jobmill/alive.py"]

ENTRYPOINT ["jobmill"]
CMD ["api"]
