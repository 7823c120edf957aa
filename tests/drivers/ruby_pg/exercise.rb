# ruby-pg as applications use it (Rails stands on it): exec_params, prepared statements, pipelines, COPY, NOTIFY.
require 'pg'
require 'timeout'

$stdout.sync = true
CHECKS = {}

def check(name, &block)
  CHECKS[name] = block
end

def say(*what)
  puts what.map(&:inspect).join(' ')
end

def connected(**options)
  client = PG.connect(**options)
  yield client
ensure
  client&.close
end

def failing
  say 'no error', yield
rescue PG::Error => e
  say e.class, (e.result&.error_field(PG::Result::PG_DIAG_SQLSTATE)), e.message.lines.first.to_s.sub(/.*(ERROR|FATAL):/, '\1:').strip
end

check 'connecting' do
  connected(options: '-c work_mem=6MB -c search_path=pg_catalog', application_name: 'ruby é', client_encoding: 'UTF8') do |c|
    %w[work_mem search_path application_name client_encoding TimeZone].each { |name| say name, c.exec("SHOW #{name}").getvalue(0, 0) }
    say c.parameter_status('TimeZone'), c.parameter_status('client_encoding'), c.internal_encoding.to_s, c.server_version
    c.reset
    say c.exec('SHOW work_mem').getvalue(0, 0)
  end
  failing { PG.connect(password: 'wrong') }
  failing { PG.connect(options: '-c no_such=1') }
end

check 'types' do
  connected do |c|
    c.type_map_for_results = PG::BasicTypeMapForResults.new(c)
    c.type_map_for_queries = PG::BasicTypeMapForQueries.new(c)
    2.times do
      [0, 1].each do |format|
        say c.exec_params('SELECT $1::int, $2::text, $3::bool, $4::float8, $5::int[]', [1, 'é 日本', true, 1.5, [1, 2]], format).values
      end
      say c.exec_params("SELECT now() > '2020-01-01', '2024-02-29'::date, 1.50::numeric, '\\x00ff'::bytea").values
    end
  end
end

check 'statements_prepared' do
  connected do |first|
    connected do |second|
      first.prepare('same', "SELECT 'first ' || $1::text")
      second.prepare('same', 'SELECT $1::int * 2')
      8.times { |n| say first.exec_prepared('same', [n.to_s]).values, second.exec_prepared('same', [n]).values }
      total = 0
      200.times { |n| first.prepare("many #{n}", "SELECT #{n} + $1::int") }
      200.times { |n| total += first.exec_prepared("many #{n}", [n]).getvalue(0, 0).to_i }
      say total, first.describe_prepared('same').fields, second.describe_prepared('same').paramtype(0)
      failing { first.prepare('same', 'SELECT 1') }
      first.exec('DEALLOCATE same')
      failing { first.exec_prepared('same', ['1']) }
      failing { first.exec_prepared('never') }
      first.prepare('same', 'SELECT 7')
      say first.exec_prepared('same').values
    end
  end
end

check 'transactions' do
  connected do |c|
    c.exec('CREATE TABLE rb_moved (n int PRIMARY KEY)')
    c.transaction do
      c.exec_params('INSERT INTO rb_moved VALUES ($1)', [1])
      c.exec('SAVEPOINT one')
      failing { c.exec_params('INSERT INTO rb_moved VALUES ($1)', [1]) }
      failing { c.exec('SELECT 1') }
      say c.transaction_status
      c.exec('ROLLBACK TO one')
      c.exec('INSERT INTO rb_moved VALUES (2)')
    end
    begin
      c.transaction do
        c.exec('DELETE FROM rb_moved')
        raise 'changed my mind'
      end
    rescue RuntimeError
      say c.exec('SELECT count(*) FROM (SELECT * FROM rb_moved FOR UPDATE) m').values, c.transaction_status
    end
  end
end

check 'errors' do
  connected do |c|
    c.set_notice_processor { |text| say 'notice', text }
    ['SELEC', 'SELECT 1/0', 'SELECT * FROM nowhere', "SELECT 'x'::int"].each { |sql| failing { c.exec(sql) } }
    c.exec("DO $$ BEGIN RAISE NOTICE 'told %', 1; END $$")
    c.send_query('SELECT 1; SELECT 2; SELECT 1/0; SELECT 3')
    while (result = c.get_result)
      say result.res_status(result.result_status), (result.values unless result.result_status == PG::PGRES_FATAL_ERROR)
    end
  end
end

check 'pipelines' do
  connected do |c|
    c.enter_pipeline_mode
    c.send_query_params('SELECT $1::int', [1])
    c.send_query_params('SELECT 1/$1::int', [0])
    c.send_query_params('SELECT $1::int', [2])
    c.pipeline_sync
    c.send_query_params('SELECT $1::int', [3])
    c.pipeline_sync
    8.times do
      result = c.get_last_result rescue (say 'error'; next)
      say result&.res_status(result.result_status)
    end
    c.exit_pipeline_mode
    say c.exec('SELECT 5').values
  end
end

check 'single_rows' do
  connected do |c|
    c.send_query_params('SELECT generate_series(1, $1::int)', [2000])
    c.set_single_row_mode
    rows = 0
    c.get_result.stream_each_row { rows += 1 }
    while c.get_result; end
    say rows
    c.transaction do
      c.exec('DECLARE declared CURSOR FOR SELECT generate_series(1, 10)')
      say c.exec('FETCH 3 FROM declared').values, c.exec('FETCH 3 FROM declared').values
    end
  end
end

check 'copying' do
  connected do |c|
    c.exec('CREATE TABLE rb_copied (n int, label text)')
    c.copy_data('COPY rb_copied FROM STDIN') { 5000.times { |n| c.put_copy_data("#{n}\té\n") } }
    bytes = 0
    c.copy_data('COPY rb_copied TO STDOUT') { while (row = c.get_copy_data); bytes += row.bytesize; end }
    say bytes
    failing { c.copy_data('COPY rb_copied FROM STDIN') { c.put_copy_data("bad\n") } }
    say c.exec('SELECT 1').values
  end
end

check 'listening' do
  connected do |c|
    connected do |other|
      c.exec('LISTEN rb_news')
      3.times { |n| other.exec_params("SELECT pg_notify('rb_news', $1)", ["message #{n}"]) }
      3.times { c.wait_for_notify(5) { |channel, _, payload| say channel, payload } }
    end
  end
end

check 'settings' do
  connected do |first|
    connected do |second|
      first.exec("SET work_mem = '7MB'")
      second.exec("SET TimeZone = 'Asia/Tokyo'")
      4.times { [first, second].each { |c| say c.exec('SHOW work_mem').values, c.exec('SHOW TimeZone').values, c.parameter_status('TimeZone') } }
      first.set_client_encoding('LATIN1')
      say first.exec('SHOW client_encoding').values, first.exec("SELECT 'é'").getvalue(0, 0).encoding.to_s
    end
  end
end

check 'cancelling' do
  connected do |c|
    c.send_query('SELECT pg_sleep(10)')
    sleep 0.3
    say c.cancel
    failing { c.get_last_result }
    say c.exec('SELECT 1').values
  end
end

check 'large_objects' do
  connected do |c|
    oid = c.transaction do
      oid = c.lo_creat(PG::INV_READ | PG::INV_WRITE)
      large = c.lo_open(oid, PG::INV_WRITE)
      c.lo_write(large, 'x' * 300_000)
      oid
    end
    c.transaction do
      large = c.lo_open(oid, PG::INV_READ)
      say c.lo_read(large, 400_000).size
      c.lo_unlink(oid)
    end
  end
end

check 'large_values' do
  connected do |c|
    text = 'é' * (4 << 20)
    c.prepare('large', 'SELECT length($1::text), md5($1::text)')
    2.times { say c.exec_prepared('large', [text]).values }
    say c.exec("SELECT repeat('x', 20 << 20)").getvalue(0, 0).size
  end
end

check 'concurrent_connections' do
  connected do |c|
    c.exec('CREATE TABLE rb_account AS SELECT g AS id, 100 AS balance FROM generate_series(0, 7) g')
    threads = 8.times.map do |number|
      Thread.new do
        connected do |one|
          one.prepare('pay', 'UPDATE rb_account SET balance = balance - 1 WHERE id = $1')
          25.times { one.transaction { one.exec_prepared('pay', [number]) } }
        end
      end
    end
    threads.each(&:join)
    say c.exec('SELECT balance FROM rb_account FOR UPDATE').column_values(0)
  end
end

CHECKS.each do |name, block|
  next unless ARGV.empty? || ARGV.include?(name)
  puts "== #{name}"
  begin
    Timeout.timeout(20, &block)
  rescue StandardError => e
    puts "!! #{e.class} #{e.message.lines.first}"
  end
end
