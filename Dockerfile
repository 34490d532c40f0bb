# The image of peerjob for builds that want a Dockerfile. "make image" and releases do
# without docker (hack/release); a test holds the two images equal, but for /licenses: this
# one has no licences of others, so it is not for shipping. Build the program first, for the
# platform of the image:
#
#   CGO_ENABLED=0 GOOS=linux go build -trimpath -ldflags "-s -w -X main.version=$(hack/version)" \
#     -o bin/image/peerjob ./cmd/peerjob
#   docker build --build-arg VERSION=$(hack/version) --tag peerjob .
FROM scratch

ARG VERSION
LABEL org.opencontainers.image.title="peerjob" \
      org.opencontainers.image.description="A KRM function: a PeerJob becomes a headless Service and an Indexed Job that agree" \
      org.opencontainers.image.source="https://github.com/peerjob/peerjob" \
      org.opencontainers.image.documentation="https://github.com/peerjob/peerjob/blob/main/docs/README.md" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"

# kustomize and kpt run functions with --user nobody, and docker looks the name
# up in the image.
COPY build/passwd /etc/passwd
COPY bin/image/peerjob /usr/local/bin/peerjob

# A number, because the kubelet can't check runAsNonRoot for a name.
USER 65534:65534
ENTRYPOINT ["/usr/local/bin/peerjob"]
