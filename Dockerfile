# syntax=docker/dockerfile:1
# For amd64 and arm64 by the same steps: whatever platform is asked for is also the one that builds, and nothing is cross-compiled.
ARG VERSION=unknown
ARG REVISION=unknown

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

# What is built in, for scanners, as CycloneDX; nothing of what only the building or the tests need.
RUN cargo tree --locked --target host-tuple --edges normal,no-proc-macro --prefix none --format '{p}' >components \
 && sed -i 's/ (.*//' components \
 && sort -u -o components components \
 && { echo '{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"components":[' \
 && sed -E -e 's|(.*) v(.*)|{"type":"library","name":"\1","version":"\2","purl":"pkg:cargo/\1@\2"}|' \
        -e 's|(@[^"]*)\+|\1%2B|' -e '$!s|$|,|' components \
 && echo ']}'; } >/open-chat.cdx.json

COPY askama.toml ./
COPY integrations integrations
COPY src src
COPY crates crates
ARG VERSION
ARG REVISION
ENV OPEN_CHAT_REVISION=$REVISION
# cargo goes by times, and the sources may be older than the empty crates.
RUN touch src/lib.rs src/main.rs crates/*/src/lib.rs \
 && cargo build --release --locked --target host-tuple \
 && mv target/*-linux-gnu/release/open-chat /open-chat \
 && { [ "$VERSION" = unknown ] || [ "$(/open-chat --version)" = "open-chat $VERSION" ]; }

FROM scratch
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="open-chat" \
      org.opencontainers.image.description="The service behind one button: open this client's SMSBAT ChatHub chat, from any CRM" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /open-chat.cdx.json /open-chat.cdx.json
COPY --from=build /open-chat /open-chat
# A number, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s CMD ["/open-chat", "health"]
ENTRYPOINT ["/open-chat"]
CMD ["serve"]
