# The image is the binary on nothing. "make image" builds the binary first, so
# that nothing is pulled; the result is for the machine's platform.
FROM scratch

ARG VERSION
LABEL org.opencontainers.image.title="peerjob" \
      org.opencontainers.image.description="A KRM function: a PeerJob becomes a headless Service and an Indexed Job that agree" \
      org.opencontainers.image.source="https://github.com/peerjob/peerjob" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"

# kustomize and kpt run functions with --user nobody, and docker looks the name
# up in the image.
COPY build/passwd /etc/passwd
COPY bin/image/peerjob /usr/local/bin/peerjob

USER nobody
ENTRYPOINT ["/usr/local/bin/peerjob"]
