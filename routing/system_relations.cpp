#include "routing/system_relations.hpp"

#include <algorithm>
#include <iterator>

namespace pgsteer::routing {
namespace {

constexpr std::string_view of_server = "is local to each server";
constexpr std::string_view of_session = "is local to each session's backend";
constexpr std::string_view of_host = "shows the files of one server's machine";
constexpr std::string_view of_sequences = "shows sequences, which a replica has at other values";
constexpr std::string_view of_primary = "is empty or other on a standby";
constexpr std::string_view not_reviewed = "is not known to be the same on every server";

// In order of names. Catalog tables are written by WAL and so the same on every physical replica; views
// are as good as what they read. PostgreSQL 14 to 18.
constexpr system_relation reviewed[] = {
    {"pg_aggregate", true, ""},
    {"pg_aios", false, of_server},
    {"pg_am", true, ""},
    {"pg_amop", true, ""},
    {"pg_amproc", true, ""},
    {"pg_attrdef", true, ""},
    {"pg_attribute", true, ""},
    {"pg_auth_members", true, ""},
    {"pg_authid", true, ""},
    {"pg_available_extension_versions", false, of_host},
    {"pg_available_extensions", false, of_host},
    {"pg_backend_memory_contexts", false, of_session},
    {"pg_buffercache", false, of_server},
    {"pg_buffercache_numa", false, of_server},
    {"pg_cast", true, ""},
    {"pg_class", true, ""},
    {"pg_collation", true, ""},
    {"pg_config", false, of_host},
    {"pg_constraint", true, ""},
    {"pg_conversion", true, ""},
    {"pg_cursors", false, of_session},
    {"pg_database", true, ""},
    {"pg_db_role_setting", true, ""},
    {"pg_default_acl", true, ""},
    {"pg_depend", true, ""},
    {"pg_description", true, ""},
    {"pg_enum", true, ""},
    {"pg_event_trigger", true, ""},
    {"pg_extension", true, ""},
    {"pg_file_settings", false, of_host},
    {"pg_foreign_data_wrapper", true, ""},
    {"pg_foreign_server", true, ""},
    {"pg_foreign_table", true, ""},
    {"pg_group", true, ""},
    {"pg_hba_file_rules", false, of_host},
    {"pg_ident_file_mappings", false, of_host},
    {"pg_index", true, ""},
    {"pg_indexes", true, ""},
    {"pg_inherits", true, ""},
    {"pg_init_privs", true, ""},
    {"pg_language", true, ""},
    {"pg_largeobject", true, ""},
    {"pg_largeobject_metadata", true, ""},
    {"pg_locks", false, of_server},
    {"pg_matviews", true, ""},
    {"pg_namespace", true, ""},
    {"pg_opclass", true, ""},
    {"pg_operator", true, ""},
    {"pg_opfamily", true, ""},
    {"pg_parameter_acl", true, ""},
    {"pg_partitioned_table", true, ""},
    {"pg_policies", true, ""},
    {"pg_policy", true, ""},
    {"pg_prepared_statements", false, of_session},
    {"pg_prepared_xacts", false, of_primary},
    {"pg_proc", true, ""},
    {"pg_publication", true, ""},
    {"pg_publication_namespace", true, ""},
    {"pg_publication_rel", true, ""},
    {"pg_publication_tables", true, ""},
    {"pg_range", true, ""},
    {"pg_replication_origin", true, ""},
    {"pg_replication_origin_status", false, of_server},
    {"pg_replication_slots", false, of_server},
    {"pg_rewrite", true, ""},
    {"pg_roles", true, ""},
    {"pg_rules", true, ""},
    {"pg_seclabel", true, ""},
    {"pg_seclabels", true, ""},
    {"pg_sequence", true, ""},
    {"pg_sequences", false, of_sequences},
    {"pg_settings", false, of_server},
    {"pg_shadow", true, ""},
    {"pg_shdepend", true, ""},
    {"pg_shdescription", true, ""},
    {"pg_shmem_allocations", false, of_server},
    {"pg_shmem_allocations_numa", false, of_server},
    {"pg_shseclabel", true, ""},
    {"pg_statistic", true, ""},
    {"pg_statistic_ext", true, ""},
    {"pg_statistic_ext_data", true, ""},
    {"pg_stats", true, ""},
    {"pg_stats_ext", true, ""},
    {"pg_stats_ext_exprs", true, ""},
    {"pg_subscription", true, ""},
    {"pg_subscription_rel", true, ""},
    {"pg_tables", true, ""},
    {"pg_tablespace", true, ""},
    {"pg_timezone_abbrevs", true, ""},
    {"pg_timezone_names", true, ""},
    {"pg_transform", true, ""},
    {"pg_trigger", true, ""},
    {"pg_ts_config", true, ""},
    {"pg_ts_config_map", true, ""},
    {"pg_ts_dict", true, ""},
    {"pg_ts_parser", true, ""},
    {"pg_ts_template", true, ""},
    {"pg_type", true, ""},
    {"pg_user", true, ""},
    {"pg_user_mapping", true, ""},
    {"pg_user_mappings", true, ""},
    {"pg_views", true, ""},
    {"pg_wait_events", false, of_server},
};
static_assert(std::is_sorted(std::begin(reviewed), std::end(reviewed),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));

constexpr std::string_view of_table[] = {"relid", "relname", "schemaname"};
constexpr std::string_view of_index[] = {"indexrelid", "indexrelname", "relid", "relname", "schemaname"};
constexpr std::string_view of_sequence[] = {"cache_size",    "cycle",      "data_type",  "increment_by",
                                            "max_value",     "min_value",  "schemaname", "sequencename",
                                            "sequenceowner", "start_value"};
constexpr std::string_view of_database[] = {"datid", "datname"};

struct shared_part {
  std::string_view name;
  std::span<const std::string_view> columns;
};

// https://www.postgresql.org/docs/15/monitoring-stats.html#MONITORING-STATS-VIEWS
constexpr shared_part shared_parts[] = {
    {"pg_sequences", of_sequence},         {"pg_stat_all_indexes", of_index},
    {"pg_stat_all_tables", of_table},      {"pg_stat_database_conflicts", of_database},
    {"pg_stat_sys_indexes", of_index},     {"pg_stat_sys_tables", of_table},
    {"pg_stat_user_indexes", of_index},    {"pg_stat_user_tables", of_table},
    {"pg_statio_all_indexes", of_index},   {"pg_statio_all_sequences", of_table},
    {"pg_statio_all_tables", of_table},    {"pg_statio_sys_indexes", of_index},
    {"pg_statio_sys_sequences", of_table}, {"pg_statio_sys_tables", of_table},
    {"pg_statio_user_indexes", of_index},  {"pg_statio_user_sequences", of_table},
    {"pg_statio_user_tables", of_table},
};

}  // namespace

std::span<const std::string_view> shared_columns(std::string_view schema, std::string_view name) {
  if (!schema.empty() && schema != "pg_catalog") return {};
  const auto* found = std::ranges::find(shared_parts, name, &shared_part::name);
  return found == std::end(shared_parts) ? std::span<const std::string_view>{} : found->columns;
}

std::optional<system_relation> judge_system_relation(std::string_view schema, std::string_view name) {
  // information_schema is views over catalog tables; its `sequences` shows parameters, not positions.
  if (schema == "information_schema") return system_relation{name, true, ""};
  const auto* found =
      std::lower_bound(std::begin(reviewed), std::end(reviewed), name,
                       [](const auto& relation, auto wanted) { return relation.name < wanted; });
  if (found != std::end(reviewed) && found->name == name) {
    auto known = *found;
    known.is_local = known.reason == of_server;
    return known;
  }
  if (name.starts_with("pg_stat_") || name.starts_with("pg_statio_"))
    return system_relation{name, false, of_server, true};
  if (!name.starts_with("pg_") && schema != "pg_catalog") return std::nullopt;
  return system_relation{name, false, not_reviewed};
}

std::span<const system_relation> system_relations() {
  return reviewed;
}

}  // namespace pgsteer::routing
