SET search_path = odoo, public;
SELECT "res_partner".id FROM "res_partner" WHERE (("res_partner"."active" = true) AND (("res_partner"."company_id" IN (1)) OR "res_partner"."company_id" IS NULL)) ORDER BY "res_partner"."complete_name" ASC, "res_partner"."id" DESC LIMIT 80;
SELECT "res_partner"."id" AS "id", "res_partner"."name" AS "name", "res_partner"."create_uid" AS "create_uid", "res_partner"."create_date" AS "create_date" FROM "res_partner" WHERE "res_partner".id IN (1, 2, 3);
SELECT count(1) FROM "res_partner" WHERE ("res_partner"."active" = true);
SELECT COUNT(*) FROM (SELECT FROM "res_partner" WHERE TRUE LIMIT 10000) t;
SELECT "res_partner"."id" FROM "res_partner" WHERE (unaccent(COALESCE("res_partner"."name"::text, '')) ilike unaccent('%part%')) OR ("res_partner"."email"::text ilike '%part%');
SELECT "product_template"."id", COALESCE("product_template"."name"->>'fr_FR', "product_template"."name"->>'en_US') FROM "product_template" LEFT JOIN "product_product" ON ("product_product"."product_tmpl_id" = "product_template"."id") WHERE "product_template"."sale_ok" IS TRUE ORDER BY "product_template"."name"->>'en_US', "product_template"."id";
SELECT jsonb_path_query_array("product_template"."name", '$.*') FROM product_template;
SELECT u.id, u.password, u.login FROM res_users u WHERE u.login = 'admin' AND u.active ORDER BY u.id;
SELECT id FROM ir_model_data WHERE module = 'base' AND name = 'user_admin';
SELECT model, res_id FROM ir_model_data WHERE module = 'base' AND name = 'main_company';
SELECT f.*, m.name AS model_name FROM ir_model_fields f JOIN ir_model m ON m.id = f.model_id WHERE f.model = 'res.partner' ORDER BY f.name;
SELECT value FROM ir_config_parameter WHERE key = 'database.uuid';
SELECT name, state FROM ir_module_module WHERE state IN ('installed', 'to upgrade', 'to install');
SELECT state, latest_version FROM ir_module_module WHERE name = 'base';
SELECT r.id FROM ir_rule r JOIN ir_model m ON (r.model_id = m.id) WHERE m.model = 'res.partner' AND r.active AND r.perm_read AND (r.global OR r.id IN (SELECT 1)) ORDER BY r.id;
SELECT m.model FROM ir_model_access a JOIN ir_model m ON (m.id = a.model_id) WHERE a.perm_read AND a.active AND (a.group_id IS NULL OR a.group_id IN (SELECT gu.gid FROM res_groups_users_rel AS gu WHERE gu.uid = 1)) GROUP BY m.model;
SELECT "sale_order".id FROM "sale_order" WHERE ((("sale_order"."state" IN ('sale', 'done')) AND ("sale_order"."date_order" >= '2024-01-01 00:00:00')) AND (("sale_order"."user_id" = 2) OR "sale_order"."user_id" IS NULL)) ORDER BY "sale_order"."date_order" DESC, "sale_order"."id" DESC LIMIT 80;
SELECT date_trunc('month', timezone('Europe/Brussels', timezone('UTC', "sale_order"."date_order"))) AS "date_order:month", COUNT(*), SUM("sale_order"."amount_total") FROM "sale_order" GROUP BY 1 ORDER BY 1;
SELECT "sale_order_line"."order_id", SUM("sale_order_line"."price_subtotal"), ARRAY_AGG(DISTINCT "sale_order_line"."product_id" ORDER BY "sale_order_line"."product_id") FROM "sale_order_line" WHERE ("sale_order_line"."order_id" IN (SELECT "sale_order".id FROM "sale_order")) GROUP BY "sale_order_line"."order_id" HAVING (SUM("sale_order_line"."product_uom_qty") > 1);
SELECT * FROM sale_report ORDER BY id, date LIMIT 5;
SELECT sale_report_rate(amount_total, currency_rate) FROM sale_order LIMIT 2;
SELECT aml.account_id, SUM(ROUND(aml.debit * 1.0, 2)) AS debit, SUM(aml.balance) AS balance FROM account_move_line aml LEFT JOIN account_move am ON am.id = aml.move_id JOIN (VALUES (1, 1.0, 2)) AS currency_table(company_id, rate, precision) ON currency_table.company_id = aml.company_id WHERE aml.date <= '2024-12-31' AND am.state = 'posted' GROUP BY aml.account_id;
SELECT max(sequence_number), sequence_prefix FROM account_move WHERE journal_id = 1 AND name IS NOT NULL AND sequence_prefix ~ '^INV' GROUP BY sequence_prefix ORDER BY max(sequence_number) DESC LIMIT 1;
SELECT CASE WHEN date_maturity < CURRENT_DATE - 30 THEN '1' WHEN date_maturity < CURRENT_DATE THEN '2' ELSE '0' END AS bucket, sum(amount_residual) FROM account_move_line WHERE NOT reconciled GROUP BY bucket;
SELECT sq.product_id, sum(quantity - reserved_quantity) FROM stock_quant sq JOIN stock_location l ON l.id = sq.location_id WHERE l.parent_path LIKE '1/7/%' AND l.usage IN ('internal', 'transit') GROUP BY sq.product_id;
SELECT quant.id FROM stock_quant quant WHERE product_id = 1 ORDER BY in_date ASC NULLS FIRST, id;
SELECT DISTINCT ON (res_id) res_id, id FROM mail_message WHERE model = 'sale.order' ORDER BY res_id, date DESC;
SELECT fol.res_model, fol.res_id, array_agg(partner_id) FROM mail_followers fol WHERE fol.res_model = 'res.partner' GROUP BY 1, 2;
SELECT id, store_fname FROM ir_attachment WHERE res_model = 'ir.ui.view' AND res_field IS NULL AND checksum = 'x';
SELECT bp.user_id AS id, CASE WHEN age(now() AT TIME ZONE 'UTC', bp.last_presence) > interval '55 seconds' THEN 'offline' ELSE 'online' END AS im_status FROM bus_presence bp WHERE user_id IN (1, 2);
SELECT parent_path FROM res_company WHERE id = 1;
WITH RECURSIVE child_of AS (SELECT id FROM res_partner WHERE id = 1 UNION SELECT p.id FROM res_partner p JOIN child_of c ON p.parent_id = c.id) SELECT id FROM child_of;
SELECT COALESCE(a.name ->> 'en_US', '') AS name, row_to_json(a) FROM account_account a;
SELECT DISTINCT unnest(string_to_array('a,b,a', ',')) ORDER BY 1;
SELECT column_name, udt_name, character_maximum_length, is_nullable FROM information_schema.columns WHERE table_name = 'res_partner';
SELECT c.relname, c.relkind, c.relpersistence FROM pg_class c JOIN pg_namespace n ON (n.oid = c.relnamespace) WHERE c.relname IN ('res_partner', 'sale_report') AND n.nspname = current_schema;
SELECT fk.conname, c2.relname FROM pg_constraint fk JOIN pg_class c1 ON fk.conrelid = c1.oid JOIN pg_class c2 ON fk.confrelid = c2.oid WHERE fk.contype = 'f' AND c1.relname = 'res_partner';
SELECT conname, pg_get_constraintdef(c.oid) AS definition, d.description FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid LEFT JOIN pg_description d ON c.oid = d.objoid WHERE t.relname = 'res_partner' AND conname = 'x';
SELECT indexname FROM pg_indexes WHERE indexname = 'res_partner_pkey';
SELECT proname FROM pg_proc WHERE proname = 'unaccent' AND pronargs = 1;
SELECT p.provolatile FROM pg_proc p LEFT JOIN pg_catalog.pg_namespace ns ON p.pronamespace = ns.oid WHERE p.proname = 'unaccent' AND p.pronargs = 1 AND ns.nspname = 'public';
SELECT datname FROM pg_database WHERE datdba = (SELECT usesysid FROM pg_user WHERE usename = current_user) AND NOT datistemplate AND datallowconn AND datname NOT IN ('postgres') ORDER BY datname;
SELECT (now() AT TIME ZONE 'UTC') IS NOT NULL;
-- primary | pg_blocking_pids
SELECT pg_blocking_pids(pid) FROM pg_stat_activity WHERE pid <> 0 LIMIT 0;
-- primary | locking clause
SELECT number_next FROM ir_sequence WHERE id = 1 FOR UPDATE NOWAIT;
-- primary | locking clause
SELECT quant.id FROM stock_quant quant WHERE quant.id IN (SELECT id FROM stock_quant WHERE product_id = 1 LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
-- primary | sequence
SELECT s.last_value, increment_by, is_called FROM pg_sequences CROSS JOIN res_company_id_seq s WHERE sequencename = 'res_company_id_seq';
-- primary | pg_sequences
SELECT last_value FROM pg_sequences WHERE sequencename = 'res_company_id_seq';
-- primary | DELETE
DELETE FROM bus_presence WHERE user_id = 5;
