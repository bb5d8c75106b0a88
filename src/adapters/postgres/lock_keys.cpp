#include "adapters/postgres/lock_keys.hpp"

#include "adapters/postgres/sql_text.hpp"

namespace spillway::postgres {

std::string owner_key_sql(std::string_view alias) {
  return "(" + std::string{alias} + ".instance # " + number(owner_key_salt) + ")";
}

std::string lease_key_sql(std::string_view alias) {
  const std::string table{alias};
  return "(" + table + ".instance # " + number(lease_key_salt) + " # (" + table +
         ".lane::bigint << " + std::to_string(lease_key_lane_shift) + "))";
}

std::string held_locks_sql() {
  // pg_locks shows a bigint key as its halves, and says so by objsubid 1.
  return "SELECT (classid::bigint << 32) | objid::bigint AS key, pid FROM pg_catalog.pg_locks "
         "WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database = "
         "(SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())";
}

}  // namespace spillway::postgres
