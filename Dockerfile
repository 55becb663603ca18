# syntax=docker/dockerfile:1
# For amd64 and arm64 by the same steps: whatever platform is asked for is also the one that builds, and nothing is cross-compiled.
ARG VERSION=unknown
ARG REVISION=unknown
# When the commit was made, so that the same commit is the same image.
ARG CREATED=1970-01-01T00:00:00Z

# The version of rust-toolchain.toml, which stays outside: it asks for tools that no build needs.
FROM rust:1.95.0-slim-bookworm AS build
WORKDIR /src
# Static glibc: the binary then needs nothing of the image it runs in. `--target` keeps the flag away from procedural macros.
ENV RUSTFLAGS="-C target-feature=+crt-static"

# The dependencies, around empty crates: a layer that lasts until they change.
COPY Cargo.toml Cargo.lock ./
COPY crates/chathub/Cargo.toml crates/chathub/
COPY crates/chathub-simulator/Cargo.toml crates/chathub-simulator/
COPY crates/connect-error/Cargo.toml crates/connect-error/
COPY crates/crm-simulator/Cargo.toml crates/crm-simulator/
RUN mkdir benches src crates/chathub/src crates/chathub-simulator/src crates/connect-error/src crates/crm-simulator/src \
 && echo 'fn main() {}' >src/main.rs \
 && touch benches/allocations.rs benches/micro.rs src/lib.rs crates/chathub/src/lib.rs crates/chathub-simulator/src/lib.rs \
    crates/connect-error/src/lib.rs crates/crm-simulator/src/lib.rs \
 && cargo build --release --locked --target host-tuple

COPY askama.toml build.rs ./
COPY integrations integrations
COPY src src
COPY crates crates
COPY packaging/sbom.sh packaging/sbom.awk packaging/
ARG VERSION
ARG REVISION
ARG CREATED
ENV OPEN_CHAT_REVISION=$REVISION
# cargo goes by times, and the sources may be older than the empty crates.
RUN touch src/lib.rs src/main.rs crates/*/src/lib.rs \
 && cargo build --release --locked --target host-tuple \
 && mv target/*-linux-gnu/release/open-chat /open-chat \
 && { [ "$VERSION" = unknown ] || [ "$(/open-chat --version)" = "open-chat $VERSION ($REVISION)" ]; } \
 # What is built in, for scanners; glibc is a part of a static binary.
 && packaging/sbom.sh host-tuple "$REVISION" "$CREATED" libc6-dev ca-certificates >/open-chat.cdx.json

# The binary is for this image alone: a static glibc loads the host's modules for names, and dies of them where
# /etc/nsswitch.conf has `resolve` or `myhostname`. Releases have a binary for hosts.
FROM scratch
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="open-chat" \
      org.opencontainers.image.description="The service behind one button: open this client's SMSBAT ChatHub chat, from any CRM" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://open-chat.example" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY LICENSE packaging/THIRD-PARTY-NOTICES.txt /licenses/
COPY --from=build /open-chat.cdx.json /open-chat.cdx.json
COPY --from=build /open-chat /open-chat
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["/open-chat", "health"]
ENTRYPOINT ["/open-chat"]
CMD ["serve"]
