# Everything here is a Debian 12 package.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)

# libpg_query exports names that libpq exports too (pg_char_to_encoding and others): link it
# statically and keep its names out of the dynamic symbol table, so that libpq meets its own.
find_library(PG_QUERY_ARCHIVE libpg_query.a REQUIRED)
find_library(PROTOBUF_C protobuf-c)
find_library(XXHASH xxhash)
add_library(pg_query INTERFACE)
target_link_libraries(pg_query INTERFACE ${PG_QUERY_ARCHIVE} $<$<BOOL:${PROTOBUF_C}>:${PROTOBUF_C}> $<$<BOOL:${XXHASH}>:${XXHASH}>)
target_link_options(pg_query INTERFACE -Wl,--exclude-libs,libpg_query.a)
