# What `cmake --install` lays down, and what CPack makes a .deb of.
include(GNUInstallDirs)

# The documents keep the shape of the repository, so that their links work where they are installed.
install(FILES README.md deploy/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md" PATTERN "*.png")
install(DIRECTORY deploy/env deploy/kubernetes DESTINATION ${CMAKE_INSTALL_DOCDIR}/deploy)
install(FILES deploy/pgsteer.yaml deploy/docker-compose.yml deploy/Containerfile
  DESTINATION ${CMAKE_INSTALL_DOCDIR}/deploy)

# Configuration goes to /etc only under the prefix /usr; under any other nothing outside it is touched.
# A file the operator has edited stays. The unit names the paths it was installed with.
install(CODE "set(source \"${PROJECT_SOURCE_DIR}/deploy\")\nset(work \"${PROJECT_BINARY_DIR}\")")
install(CODE [[
  set(etc "${CMAKE_INSTALL_PREFIX}/etc/pgsteer")
  if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    set(etc /etc/pgsteer)
  endif()
  foreach(file pgsteer.yaml pgsteer.env)
    if(NOT EXISTS "$ENV{DESTDIR}${etc}/${file}")
      file(INSTALL DESTINATION "${etc}" TYPE FILE FILES "${source}/${file}"
        PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
    endif()
  endforeach()
  file(READ "${source}/pgsteer.service" unit)
  string(REPLACE "/etc/pgsteer" "${etc}" unit "${unit}")
  string(REPLACE "/usr/bin/pgsteer" "${CMAKE_INSTALL_PREFIX}/bin/pgsteer" unit "${unit}")
  file(WRITE "${work}/pgsteer.service" "${unit}")
  file(INSTALL DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/systemd/system" TYPE FILE FILES "${work}/pgsteer.service")
]])

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pgsteer)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The pgsteer maintainers <pgsteer@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "read/write-splitting, pooling proxy for PostgreSQL")
set(CPACK_PACKAGE_DESCRIPTION
  "pgsteer stands between an application and a PostgreSQL primary with streaming\nreplicas. It sends reads that a replica answers rightly to a replica and all\nelse to the primary, and shares few server connections among many clients.")
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles
  ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
  ${PROJECT_SOURCE_DIR}/deploy/debian/prerm
  ${PROJECT_SOURCE_DIR}/deploy/debian/postrm)
include(CPack)
