# Two images: `airflow` is what production runs, `sandbox` plays the store, Nextech and the mail server for a trial.
FROM python:3.11.13-slim-bookworm AS python
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/opt/venv/bin:$PATH
# One account for everything, of no power; group 0 as clusters that choose their own user number expect it.
RUN useradd --uid 50000 --gid 0 --home-dir /opt/order_sync --create-home --shell /usr/sbin/nologin order_sync
WORKDIR /opt/order_sync

FROM python AS airflow-packages
COPY requirements.txt ./
RUN python -m venv /opt/venv \
    && pip install --quiet --no-cache-dir --only-binary :all: --require-hashes -r requirements.txt

FROM python AS sandbox-packages
COPY requirements-sandbox.txt ./
RUN python -m venv /opt/venv \
    && pip install --quiet --no-cache-dir --only-binary :all: --require-hashes -r requirements-sandbox.txt

FROM python AS sandbox
COPY --from=sandbox-packages /opt/venv /opt/venv
COPY sandbox sandbox
USER 50000:0
EXPOSE 8090 8025
CMD ["python", "-m", "sandbox", "--host", "0.0.0.0", "--port", "8090", "--smtp-port", "8025"]

FROM python AS airflow
ENV AIRFLOW_HOME=/opt/order_sync/airflow \
    PYTHONPATH=/opt/order_sync/include
COPY --from=airflow-packages /opt/venv /opt/venv
# The folders exist with the right owner, so that the volumes mounted there have it too.
RUN install --directory --owner 50000 --group 0 --mode 0770 airflow logs
COPY include include
COPY plugins plugins
COPY dags dags
USER 50000:0
EXPOSE 8080
CMD ["airflow", "version"]
