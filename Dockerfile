# syntax=docker/dockerfile:1
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
# Static glibc: the binary then needs nothing of the image it runs in.
ENV RUSTFLAGS="-C target-feature=+crt-static"
ARG REVISION=unknown
ENV OPEN_CHAT_REVISION=$REVISION
COPY . .
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
 && cargo build --release --locked --target "$target" \
 && mv "target/$target/release/open-chat" /open-chat

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /open-chat /open-chat
USER 65532:65532
EXPOSE 8080
HEALTHCHECK CMD ["/open-chat", "health"]
ENTRYPOINT ["/open-chat"]
CMD ["serve"]
