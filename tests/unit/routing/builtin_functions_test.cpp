#include "routing/builtin_functions.hpp"

#include <algorithm>
#include <string_view>

#include <gtest/gtest.h>

namespace pgsteer::routing {
namespace {

void expect_safe(std::string_view name) {
  const builtin_function* found = find_builtin_function(name);
  ASSERT_NE(found, nullptr) << name;
  EXPECT_EQ(found->safety, function_safety::safe) << name;
  EXPECT_EQ(found->effects & ~fx_literal_sensitive, 0u) << name;
}

void expect_primary(std::string_view name, unsigned effects) {
  const builtin_function* found = find_builtin_function(name);
  ASSERT_NE(found, nullptr) << name;
  EXPECT_EQ(found->safety, function_safety::primary) << name;
  EXPECT_EQ(found->effects, effects) << name;
}

TEST(builtin_functions, are_in_order_and_each_once) {
  const auto all = builtin_functions();
  EXPECT_GT(all.size(), 2000u);
  EXPECT_EQ(std::ranges::adjacent_find(all, std::greater_equal{}, &builtin_function::name), all.end());
}

TEST(builtin_functions, are_found_by_exactly_their_names) {
  for (const builtin_function& function : builtin_functions()) {
    EXPECT_EQ(find_builtin_function(function.name), &function);
  }
  for (std::string_view unknown : {"", "a", "zzz", "lowe", "lowerx", "LOWER", "lower ", "pg_catalog.lower"}) {
    EXPECT_EQ(find_builtin_function(unknown), nullptr) << unknown;
  }
}

TEST(builtin_functions, have_a_reason_and_a_plain_name) {
  const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  for (const builtin_function& function : builtin_functions()) {
    EXPECT_FALSE(function.name.empty());
    EXPECT_TRUE(std::ranges::all_of(function.name, is_plain)) << function.name;
    EXPECT_GT(function.reason.size(), 10u) << function.name;
  }
}

TEST(builtin_functions, that_are_safe_leave_nothing_behind) {
  for (const builtin_function& function : builtin_functions()) {
    if (function.safety == function_safety::safe) {
      EXPECT_EQ(function.effects & ~fx_literal_sensitive, 0u) << function.name;
    }
  }
}

// Wrong on a standby without any error: no retry would catch one of these.
TEST(builtin_functions, silently_wrong_on_a_standby_are_for_the_primary) {
  for (std::string_view name :
       {"pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared",
        "pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all"}) {
    expect_primary(name, fx_may_pin);
  }
  for (std::string_view name : {"pg_advisory_xact_lock",
                                "pg_advisory_xact_lock_shared",
                                "pg_try_advisory_xact_lock",
                                "pg_try_advisory_xact_lock_shared",
                                "pg_export_snapshot",
                                "txid_current_if_assigned",
                                "pg_current_xact_id_if_assigned",
                                "pg_current_snapshot",
                                "txid_current_snapshot",
                                "pg_stat_get_activity",
                                "pg_stat_get_live_tuples",
                                "pg_stat_get_db_xact_commit",
                                "pg_lock_status",
                                "pg_cancel_backend",
                                "pg_terminate_backend",
                                "pg_reload_conf",
                                "pg_stat_reset",
                                "pg_stat_reset_shared",
                                "pg_backup_start",
                                "pg_backup_stop",
                                "pg_start_backup",
                                "pg_stop_backup",
                                "pg_wal_replay_pause",
                                "pg_wal_replay_resume",
                                "pg_create_physical_replication_slot",
                                "pg_drop_replication_slot",
                                "lo_export",
                                "lo_open",
                                "pg_is_in_recovery",
                                "pg_show_all_settings",
                                "pg_prepared_xact",
                                "pg_sequence_last_value",
                                "pg_relation_size",
                                "pg_database_size",
                                "pg_backend_pid",
                                "inet_server_addr",
                                "version",
                                "age",
                                "mxid_age",
                                "pg_control_checkpoint",
                                "pg_ls_dir",
                                "pg_read_file",
                                "pg_last_wal_replay_lsn"}) {
    expect_primary(name, 0);
  }
  expect_primary("set_config", fx_may_set);
  expect_primary("current_setting", fx_reads_custom);
  expect_primary("setseed", fx_may_pin);
}

TEST(builtin_functions, refused_on_a_standby_are_for_the_primary) {
  for (std::string_view name : {"txid_current",
                                "pg_current_xact_id",
                                "lo_unlink",
                                "lo_create",
                                "lo_creat",
                                "lo_put",
                                "lowrite",
                                "lo_import",
                                "brin_desummarize_range",
                                "brin_summarize_new_values",
                                "gin_clean_pending_list",
                                "pg_logical_emit_message",
                                "pg_current_wal_lsn",
                                "pg_current_wal_insert_lsn",
                                "pg_walfile_name",
                                "pg_switch_wal",
                                "pg_notify",
                                "pg_create_restore_point",
                                "pg_promote",
                                "pg_import_system_collations"}) {
    expect_primary(name, 0);
  }
}

TEST(builtin_functions, of_sequences_say_what_they_need) {
  expect_primary("nextval", fx_nextval);
  expect_primary("setval", fx_nextval);
  expect_primary("currval", fx_session_sequence);
  expect_primary("lastval", fx_session_sequence);
}

TEST(builtin_functions, that_run_sql_may_do_anything) {
  for (std::string_view name :
       {"query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "table_to_xml", "cursor_to_xml",
        "schema_to_xml", "database_to_xml", "ts_stat", "ts_rewrite", "domain_in", "record_in", "array_in",
        "pg_input_is_valid"}) {
    expect_primary(name, fx_unknown);
  }
}

TEST(builtin_functions, that_are_volatile_and_harmless_are_safe) {
  for (std::string_view name : {"random", "clock_timestamp", "timeofday", "gen_random_uuid", "pg_sleep",
                                "pg_sleep_for", "pg_sleep_until", "pg_partition_tree", "lo_get"}) {
    expect_safe(name);
  }
}

// libpg_query writes these for the grammar's own forms: EXTRACT, POSITION, AT TIME ZONE, LIKE ... ESCAPE.
TEST(builtin_functions, of_the_grammar_are_safe) {
  for (std::string_view name : {"extract",
                                "date_part",
                                "position",
                                "overlay",
                                "substring",
                                "btrim",
                                "ltrim",
                                "rtrim",
                                "timezone",
                                "like_escape",
                                "similar_to_escape",
                                "similar_escape",
                                "is_normalized",
                                "normalize",
                                "pg_collation_for",
                                "xmlexists",
                                "overlaps",
                                "interval",
                                "timestamp",
                                "time",
                                "date",
                                "bpchar",
                                "numeric",
                                "float8",
                                "int4"}) {
    expect_safe(name);
  }
  expect_primary("system_user", 0);
}

TEST(builtin_functions, of_every_day_are_safe) {
  for (std::string_view name : {"count",
                                "sum",
                                "avg",
                                "min",
                                "max",
                                "array_agg",
                                "string_agg",
                                "json_agg",
                                "jsonb_agg",
                                "row_number",
                                "rank",
                                "lag",
                                "lower",
                                "upper",
                                "length",
                                "concat",
                                "format",
                                "now",
                                "to_char",
                                "to_date",
                                "date_trunc",
                                "generate_series",
                                "unnest",
                                "round",
                                "abs",
                                "jsonb_build_object",
                                "jsonb_array_elements",
                                "jsonb_set",
                                "regexp_replace",
                                "string_to_array",
                                "array_length",
                                "md5",
                                "sha256",
                                "encode",
                                "to_tsvector",
                                "ts_rank",
                                "plainto_tsquery",
                                "has_table_privilege",
                                "pg_get_indexdef",
                                "pg_get_constraintdef",
                                "pg_get_expr",
                                "format_type",
                                "obj_description",
                                "pg_table_is_visible",
                                "current_schema",
                                "current_schemas",
                                "current_database",
                                "session_user",
                                "to_regclass",
                                "pg_typeof",
                                "int4eq",
                                "textlike",
                                "regclassin",
                                "pg_is_other_temp_schema",
                                "pg_get_serial_sequence",
                                "percentile_cont",
                                "width_bucket",
                                "any_value"}) {
    expect_safe(name);
  }
  EXPECT_EQ(find_builtin_function("regclassin")->effects, fx_literal_sensitive);
}

TEST(builtin_functions, unknown_are_left_to_the_caller) {
  for (std::string_view name :
       {"my_function", "eqsel", "bthandler", "tsvector_update_trigger", "dblink_exec"}) {
    EXPECT_EQ(find_builtin_function(name), nullptr) << name;
  }
}

TEST(builtin_functions, of_a_count_of_arguments_can_be_better_than_their_name) {
  EXPECT_EQ(find_builtin_function("age", 2)->safety, function_safety::safe);
  EXPECT_EQ(find_builtin_function("age", 1)->safety, function_safety::primary);
  EXPECT_EQ(find_builtin_function("ts_rewrite", 3)->safety, function_safety::safe);
  EXPECT_EQ(find_builtin_function("ts_rewrite", 2)->safety, function_safety::primary);
  EXPECT_EQ(find_builtin_function("lower", 1), find_builtin_function("lower"));
  EXPECT_EQ(find_builtin_function("unknown", 2), nullptr);
}

TEST(contrib_functions, are_in_order_with_reasons) {
  const auto all = contrib_functions();
  EXPECT_GT(all.size(), 400u);
  const auto key = [](const contrib_function& entry) {
    return std::pair(entry.extension, entry.function.name);
  };
  EXPECT_EQ(std::ranges::adjacent_find(all, std::greater_equal{}, key), all.end());
  for (const contrib_function& entry : all) {
    EXPECT_EQ(find_contrib_function(entry.extension, entry.function.name), &entry.function);
    EXPECT_GT(entry.function.reason.size(), 10u) << entry.function.name;
  }
}

TEST(contrib_functions, are_found_in_their_extension_only) {
  ASSERT_NE(find_contrib_function("pgcrypto", "crypt"), nullptr);
  EXPECT_EQ(find_contrib_function("pgcrypto", "crypt")->safety, function_safety::safe);
  EXPECT_EQ(find_contrib_function("hstore", "crypt"), nullptr);
  EXPECT_EQ(find_contrib_function("", ""), nullptr);
}

TEST(contrib_functions, that_reach_out_or_run_sql_are_for_the_primary) {
  constexpr contrib_function dangerous[] = {
      {"dblink", {"dblink", function_safety::primary, 0, ""}},
      {"dblink", {"dblink_exec", function_safety::primary, 0, ""}},
      {"dblink", {"dblink_connect", function_safety::primary, fx_may_pin | fx_remembers, ""}},
      {"tablefunc", {"crosstab", function_safety::primary, fx_unknown, ""}},
      {"tablefunc", {"connectby", function_safety::primary, fx_unknown, ""}},
      {"xml2", {"xpath_table", function_safety::primary, fx_unknown, ""}},
      {"pg_trgm", {"set_limit", function_safety::primary, fx_may_set, ""}},
      {"pg_trgm", {"show_limit", function_safety::primary, 0, ""}},
      {"isn", {"isn_weak", function_safety::primary, fx_may_set | fx_may_pin | fx_remembers, ""}},
      {"pg_surgery", {"heap_force_kill", function_safety::primary, 0, ""}},
      {"pgstattuple", {"pgstattuple", function_safety::primary, 0, ""}},
  };
  for (const contrib_function& wanted : dangerous) {
    const builtin_function* found = find_contrib_function(wanted.extension, wanted.function.name);
    ASSERT_NE(found, nullptr) << wanted.function.name;
    EXPECT_EQ(found->safety, wanted.function.safety) << wanted.function.name;
    EXPECT_EQ(found->effects, wanted.function.effects) << wanted.function.name;
  }
}

}  // namespace
}  // namespace pgsteer::routing
