#include "proxy/io/end_point.hpp"

#include <array>

#include <openssl/evp.h>
#include <openssl/objects.h>

namespace pgsteer::proxy {

std::string end_point_hash(X509* certificate) {
  int digest_nid = NID_undef;
  OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest_nid, nullptr);
  if (digest_nid == NID_undef || digest_nid == NID_md5 || digest_nid == NID_sha1) digest_nid = NID_sha256;
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  const EVP_MD* digest = EVP_get_digestbynid(digest_nid);
  if (digest == nullptr || X509_digest(certificate, digest, hash.data(), &size) != 1) return {};
  return {hash.begin(), hash.begin() + size};
}

}  // namespace pgsteer::proxy
