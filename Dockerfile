# A static binary and the certificates that it trusts, and nothing else. docker build --build-arg VERSION=$(git describe --always) -t forge .
FROM --platform=$BUILDPLATFORM golang:1.26.8-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d AS build
ENV CGO_ENABLED=0
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=0.1.0 TARGETOS TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/forge .

FROM scratch
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="Forge" \
      org.opencontainers.image.description="A GraphQL server" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/forge /forge
# Nobody, in numbers: there is no /etc/passwd, and Kubernetes' runAsNonRoot asks for them.
USER 65532:65532
# With AUTH as it is in production, the default; docs/operations.md says what else there is to decide.
ENV FORGE_ENV=production ADDR=0.0.0.0:8080 SHUTDOWN_DELAY=5s
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/forge", "healthcheck"]
ENTRYPOINT ["/forge"]
CMD ["serve"]
