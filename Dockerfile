# CoFlows for Jupyter in a container: `coflows image build` makes it, `coflows server --container` tries it.
# The Workflow comes from outside: mounted at /app/mnt, or sent by `coflows cloud deploy`.

# What the base has to be: Debian 12 or newer.
ARG BASE=debian:bookworm-slim
# An image that has .NET's SDK in /usr/share/dotnet, for C#, F# and VB.
ARG DOTNET=${BASE}

FROM ${DOTNET} AS dotnet
RUN mkdir -p /usr/share/dotnet

FROM ${BASE} AS build
SHELL ["/bin/sh", "-eu", "-c"]
ENV DEBIAN_FRONTEND=noninteractive
# hadolint ignore=DL3008 # a release of Debian changes no versions, and only its newest packages are safe
RUN apt-get -qq update && apt-get -qq install --no-install-recommends ca-certificates python3-venv && \
    rm -rf /var/lib/apt/lists/*
# What to install: this checkout, or a release like coflows_jupyter[all]==1.0.
ARG COFLOWS="coflows_jupyter[all] @ file:///source"
# Certificates of a proxy that looks into what pip downloads.
ARG PIP_CERT
COPY . /source
# hadolint ignore=DL3013 # pyproject.toml says which versions
RUN python3 -m venv /opt/coflows && \
    /opt/coflows/bin/pip install --no-cache-dir "${COFLOWS}" && \
    install /opt/coflows/lib/python3*/site-packages/coflows_jupyter/deploy/container.sh /opt/coflows/bin/coflows-container

FROM ${BASE}
SHELL ["/bin/sh", "-eu", "-c"]
ARG DEBIAN_FRONTEND=noninteractive
# A version of Debian's JDK, like 17, for Java and Scala.
ARG JDK=
# hadolint ignore=DL3008 # as above
RUN apt-get -qq update && \
    apt-get -qq install --no-install-recommends ca-certificates libgssapi-krb5-2 python3 tini unixodbc \
        ${JDK:+openjdk-${JDK}-jdk-headless} && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --no-log-init --uid 10001 --create-home coflows && \
    install --directory --owner coflows --group coflows /app/mnt
COPY --from=dotnet /usr/share/dotnet /usr/share/dotnet
# .NET needs ICU, whose package has its version in its name.
# hadolint ignore=DL3008 # as above
RUN if [ -e /usr/share/dotnet/dotnet ]; then \
        apt-get -qq update && apt-get -qq install --no-install-recommends '^libicu[0-9]+$' && \
        rm -rf /var/lib/apt/lists/*; \
    fi
COPY --from=build /opt/coflows /opt/coflows
ENV PATH=/opt/coflows/bin:/usr/share/dotnet:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/home/coflows LANG=C.UTF-8 COFLOWS_CONTAINER=1
ARG VERSION=
LABEL org.opencontainers.image.title="CoFlows for Jupyter" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app/mnt
EXPOSE 80 443 8888
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python", "-m", "coflows_jupyter.server.probe"]
# The first two: children that lost their parents are buried, and nothing runs as root unless /app/mnt belongs to root.
ENTRYPOINT ["tini", "--", "/opt/coflows/bin/coflows-container"]
CMD ["coflows", "server", "--no-browser"]
