# syntax=docker/dockerfile:1

# Builds modelyard with OpenSSL and libgit2 linked in, and puts it alone on a base with nothing but
# libc and certificates: no shell, no package manager, no root.

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/target \
    CARGO_TARGET_DIR=/target cargo build --locked --release --features vendored-openssl \
    && install -D /target/release/modelyard /out/modelyard

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/modelyard /usr/local/bin/modelyard
WORKDIR /yard
ENTRYPOINT ["/usr/local/bin/modelyard"]
