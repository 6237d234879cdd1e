# syntax=docker/dockerfile:1

# Builds modelyard with OpenSSL and libgit2 linked in, and puts it alone on a base with nothing but
# libc and certificates: no shell, no package manager, no root. The target `pipelines` has git and a
# shell beside it, for runners that run their jobs in an image, as GitLab's do.

FROM rust:1.95-bookworm AS build
# The commit that is built, which `modelyard init --ci` pins the Action by.
ARG MODELYARD_COMMIT
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/target \
    CARGO_TARGET_DIR=/target cargo build --locked --release --features vendored-openssl \
    && install -D /target/release/modelyard /out/modelyard

FROM debian:bookworm-slim AS pipelines
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home modelyard
COPY --from=build /out/modelyard /usr/local/bin/modelyard
USER modelyard
WORKDIR /yard

FROM gcr.io/distroless/cc-debian12:nonroot AS program
COPY --from=build /out/modelyard /usr/local/bin/modelyard
WORKDIR /yard
ENTRYPOINT ["/usr/local/bin/modelyard"]
