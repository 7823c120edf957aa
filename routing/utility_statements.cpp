#include "routing/utility_statements.hpp"

#include <cstdint>

#include <boost/unordered/unordered_flat_map.hpp>

namespace pgsteer::routing {
namespace {

enum leaves : std::uint8_t {
  nothing = 0,
  sets = 1,     // may change a setting
  pins = 2,     // may make or end state of the session: in doubt, as search_path may name pg_temp
  catalog = 4,  // changes what the catalog says
  users = 8,    // changes who may log in, and with what
};

struct entry {
  std::string_view node;
  std::string_view command;
  int left;
};

constexpr int makes = pins | catalog;        // CREATE and DROP: the object may be temporary
constexpr int runs = sets | pins | catalog;  // runs code of the database's users

constexpr entry entries[] = {
    {"AlterCollationStmt", "ALTER COLLATION", catalog},
    {"AlterDatabaseRefreshCollStmt", "ALTER DATABASE", catalog},
    {"AlterDatabaseSetStmt", "ALTER DATABASE", catalog},
    {"AlterDatabaseStmt", "ALTER DATABASE", catalog},
    {"AlterDefaultPrivilegesStmt", "ALTER DEFAULT PRIVILEGES", catalog},
    {"AlterDomainStmt", "ALTER DOMAIN", runs},
    {"AlterEnumStmt", "ALTER TYPE", catalog},
    {"AlterEventTrigStmt", "ALTER EVENT TRIGGER", catalog},
    {"AlterExtensionContentsStmt", "ALTER EXTENSION", catalog},
    {"AlterExtensionStmt", "ALTER EXTENSION", runs},
    {"AlterFdwStmt", "ALTER FOREIGN DATA WRAPPER", catalog},
    {"AlterForeignServerStmt", "ALTER SERVER", catalog},
    {"AlterFunctionStmt", "ALTER FUNCTION", catalog},
    {"AlterObjectDependsStmt", "ALTER", catalog},
    {"AlterObjectSchemaStmt", "ALTER", makes},
    {"AlterOpFamilyStmt", "ALTER OPERATOR FAMILY", catalog},
    {"AlterOperatorStmt", "ALTER OPERATOR", catalog},
    {"AlterOwnerStmt", "ALTER", catalog},
    {"AlterPolicyStmt", "ALTER POLICY", catalog},
    {"AlterPublicationStmt", "ALTER PUBLICATION", catalog},
    {"AlterRoleSetStmt", "ALTER ROLE", catalog},
    {"AlterRoleStmt", "ALTER ROLE", catalog | users},
    {"AlterSeqStmt", "ALTER SEQUENCE", catalog},
    {"AlterStatsStmt", "ALTER STATISTICS", catalog},
    {"AlterSubscriptionStmt", "ALTER SUBSCRIPTION", catalog},
    {"AlterSystemStmt", "ALTER SYSTEM", nothing},
    {"AlterTSConfigurationStmt", "ALTER TEXT SEARCH CONFIGURATION", catalog},
    {"AlterTSDictionaryStmt", "ALTER TEXT SEARCH DICTIONARY", catalog},
    {"AlterTableMoveAllStmt", "ALTER TABLE", catalog},
    {"AlterTableSpaceOptionsStmt", "ALTER TABLESPACE", catalog},
    {"AlterTableStmt", "ALTER TABLE", runs},
    {"AlterTypeStmt", "ALTER TYPE", catalog},
    {"AlterUserMappingStmt", "ALTER USER MAPPING", catalog},
    {"CallStmt", "CALL", runs},
    {"CheckPointStmt", "CHECKPOINT", nothing},
    {"ClusterStmt", "CLUSTER", nothing},
    {"CommentStmt", "COMMENT", catalog},
    {"CompositeTypeStmt", "CREATE TYPE", makes},
    {"ConstraintsSetStmt", "SET CONSTRAINTS", sets | pins},
    {"CreateAmStmt", "CREATE ACCESS METHOD", catalog},
    {"CreateCastStmt", "CREATE CAST", catalog},
    {"CreateConversionStmt", "CREATE CONVERSION", makes},
    {"CreateDomainStmt", "CREATE DOMAIN", makes},
    {"CreateEnumStmt", "CREATE TYPE", makes},
    {"CreateEventTrigStmt", "CREATE EVENT TRIGGER", catalog},
    {"CreateExtensionStmt", "CREATE EXTENSION", runs},
    {"CreateFdwStmt", "CREATE FOREIGN DATA WRAPPER", catalog},
    {"CreateForeignServerStmt", "CREATE SERVER", catalog},
    {"CreateForeignTableStmt", "CREATE FOREIGN TABLE", makes},
    {"CreateFunctionStmt", "CREATE FUNCTION", makes},
    {"CreateOpClassStmt", "CREATE OPERATOR CLASS", makes},
    {"CreateOpFamilyStmt", "CREATE OPERATOR FAMILY", makes},
    {"CreatePLangStmt", "CREATE LANGUAGE", catalog},
    {"CreatePolicyStmt", "CREATE POLICY", catalog},
    {"CreatePublicationStmt", "CREATE PUBLICATION", catalog},
    {"CreateRangeStmt", "CREATE TYPE", makes},
    {"CreateRoleStmt", "CREATE ROLE", catalog | users},
    {"CreateSchemaStmt", "CREATE SCHEMA", makes},
    {"CreateSeqStmt", "CREATE SEQUENCE", makes},
    {"CreateStatsStmt", "CREATE STATISTICS", makes},
    {"CreateStmt", "CREATE TABLE", makes},
    {"CreateSubscriptionStmt", "CREATE SUBSCRIPTION", catalog},
    {"CreateTableAsStmt", "CREATE TABLE AS", makes},
    {"CreateTableSpaceStmt", "CREATE TABLESPACE", catalog},
    {"CreateTransformStmt", "CREATE TRANSFORM", catalog},
    {"CreateTrigStmt", "CREATE TRIGGER", catalog},
    {"CreateUserMappingStmt", "CREATE USER MAPPING", catalog},
    {"CreatedbStmt", "CREATE DATABASE", catalog},
    {"DefineStmt", "CREATE", makes},
    {"DoStmt", "DO", runs},
    {"DropOwnedStmt", "DROP OWNED", makes},
    {"DropRoleStmt", "DROP ROLE", catalog | users},
    {"DropStmt", "DROP", makes},
    {"DropSubscriptionStmt", "DROP SUBSCRIPTION", catalog},
    {"DropTableSpaceStmt", "DROP TABLESPACE", catalog},
    {"DropUserMappingStmt", "DROP USER MAPPING", catalog},
    {"DropdbStmt", "DROP DATABASE", catalog},
    {"GrantRoleStmt", "GRANT", catalog},
    {"GrantStmt", "GRANT", catalog},
    {"ImportForeignSchemaStmt", "IMPORT FOREIGN SCHEMA", catalog},
    {"IndexStmt", "CREATE INDEX", catalog},
    {"ListenStmt", "LISTEN", pins},
    {"LoadStmt", "LOAD", sets | pins},
    {"LockStmt", "LOCK TABLE", nothing},
    {"NotifyStmt", "NOTIFY", nothing},
    {"ReassignOwnedStmt", "REASSIGN OWNED", catalog},
    {"RefreshMatViewStmt", "REFRESH MATERIALIZED VIEW", runs},
    {"ReindexStmt", "REINDEX", nothing},
    {"RenameStmt", "ALTER", catalog},
    {"ReplicaIdentityStmt", "ALTER TABLE", catalog},
    {"RuleStmt", "CREATE RULE", catalog},
    {"SecLabelStmt", "SECURITY LABEL", catalog},
    {"TruncateStmt", "TRUNCATE TABLE", nothing},
    {"UnlistenStmt", "UNLISTEN", pins},
    {"VacuumStmt", "VACUUM or ANALYZE", nothing},
    {"ViewStmt", "CREATE VIEW", makes},
};

using statement_index = boost::unordered_flat_map<std::string_view, utility_statement>;

statement_index build_index() {
  statement_index index;
  for (const auto& each : entries) {
    utility_statement statement{each.command, {}};
    statement.effects.may_set = (each.left & sets) != 0;
    statement.effects.may_pin = (each.left & pins) != 0;
    statement.effects.changes_catalog = (each.left & catalog) != 0;
    statement.effects.changes_users = (each.left & users) != 0;
    statement.effects.loads_library = each.node == "LoadStmt";
    // ClassifyUtilityCommandAsReadOnly(): what is COMMAND_IS_NOT_READ_ONLY there.
    const bool runs_code = each.node == "CallStmt" || each.node == "DoStmt";
    statement.is_definition =
        (statement.effects.changes_catalog && !runs_code) || each.node == "TruncateStmt";
    index.emplace(each.node, statement);
  }
  return index;
}

}  // namespace

std::optional<utility_statement> find_utility_statement(std::string_view node_type) {
  static const statement_index index = build_index();
  const auto found = index.find(node_type);
  if (found == index.end()) return std::nullopt;
  return found->second;
}

}  // namespace pgsteer::routing
