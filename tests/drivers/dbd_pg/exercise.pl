# DBD::Pg as applications use it: placeholders prepared on the server, asynchronous queries, COPY, savepoints.
use strict;
use warnings;
use utf8;
use DBI;
use DBD::Pg qw(:pg_types :async);

binmode STDOUT, ':encoding(UTF-8)';
$| = 1;

sub say_all {
    print join(' ', map { !defined $_ ? 'undef' : ref $_ eq 'ARRAY' ? '[' . join(',', map { ref $_ ? "[@$_]" : $_ // 'undef' } @$_) . ']' : $_ } @_), "\n";
}

sub connected {
    my (%attributes) = @_;
    return DBI->connect('dbi:Pg:' . ($ENV{DBI_OPTIONS} // ''), undef, undef,
        { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1, %attributes });
}

sub failing {
    my ($client, $work) = @_;
    if (eval { $work->(); 1 }) {
        say_all('no error');
    } else {
        say_all($client->state, (split /\n/, $client->errstr)[0]);
    }
}

my @checks = (
    connecting => sub {
        local $ENV{DBI_OPTIONS} = "application_name=perl;options='-c work_mem=6MB -c search_path=pg_catalog'";
        my $c = connected();
        say_all($_, $c->selectrow_array("SHOW $_")) for qw(work_mem search_path application_name client_encoding TimeZone);
        say_all($c->{pg_server_version}, $c->ping, $c->{pg_pid} > 0, $c->{pg_standard_conforming_strings});
    },
    types => sub {
        my $c = connected();
        for (1 .. 3) {
            say_all($c->selectrow_array('SELECT ?::int, ?::text, ?::bool, ?::float8, ?::int[], ?::text', undef, 1, 'é 日本', 1, 1.5, [1, 2], undef));
            my $s = $c->prepare('SELECT length(?), ?::bytea');
            $s->bind_param(1, 'text');
            $s->bind_param(2, "\0\xff", { pg_type => PG_BYTEA });
            $s->execute;
            say_all(map { join '-', unpack 'C*', $_ } $s->fetchrow_array);
        }
    },
    statements_prepared => sub {
        my ($first, $second) = (connected(), connected());
        my $one = $first->prepare("SELECT 'first ' || ?::text");
        my $two = $second->prepare('SELECT 2 * ?::int', { pg_prepare_now => 1 });
        for my $n (0 .. 7) {
            $one->execute($n);
            $two->execute($n);
            say_all($one->fetchrow_array, $two->fetchrow_array);
        }
        my $total = 0;
        for my $n (0 .. 149) {
            my $s = $first->prepare("SELECT $n + ?::int");
            for (1 .. 2) { $s->execute($n); $total += ($s->fetchrow_array)[0]; }
        }
        say_all($total);
    },
    transactions => sub {
        my $c = connected();
        $c->do('CREATE TABLE pl_moved (n int PRIMARY KEY)');
        $c->begin_work;
        $c->do('INSERT INTO pl_moved VALUES (?)', undef, 1);
        $c->pg_savepoint('one');
        failing($c, sub { $c->do('INSERT INTO pl_moved VALUES (?)', undef, 1) });
        failing($c, sub { $c->do('SELECT 1') });
        $c->pg_rollback_to('one');
        $c->do('INSERT INTO pl_moved VALUES (?)', undef, 2);
        $c->commit;
        $c->begin_work;
        say_all($c->do('DELETE FROM pl_moved'));
        $c->rollback;
        say_all($c->selectall_arrayref('SELECT n FROM pl_moved ORDER BY n FOR UPDATE'));
    },
    errors => sub {
        my $c = connected();
        for my $sql ('SELEC', 'SELECT 1/0', 'SELECT * FROM nowhere', "SELECT 'x'::int") {
            failing($c, sub { $c->selectrow_array($sql) });
        }
        failing($c, sub { $c->selectrow_array('SELECT 1/?::int', undef, 0) });
        $c->do('SELECT 1; CREATE TABLE pl_several (n int); INSERT INTO pl_several VALUES (1)');
        say_all($c->selectrow_array('SELECT n FROM pl_several FOR UPDATE'));
    },
    copying => sub {
        my $c = connected();
        $c->do('CREATE TABLE pl_copied (n int, label text)');
        $c->do('COPY pl_copied FROM STDIN');
        $c->pg_putcopydata("$_\té\n") for 1 .. 5000;
        $c->pg_putcopyend;
        $c->do('COPY pl_copied TO STDOUT');
        my ($row, $count) = ('', 0);
        $count++ while $c->pg_getcopydata($row) >= 0;
        say_all($count);
        $c->do('COPY pl_copied FROM STDIN');
        failing($c, sub { $c->pg_putcopydata("bad\n"); $c->pg_putcopyend });
        say_all($c->selectrow_array('SELECT 1'));
    },
    listening => sub {
        my ($c, $other) = (connected(), connected());
        $c->do('LISTEN pl_news');
        $other->do("SELECT pg_notify('pl_news', ?)", undef, "message $_") for 1 .. 3;
        my ($heard, $turns) = (0, 0);
        while ($heard < 3 && $turns++ < 50) {
            while (my $note = $c->pg_notifies) { say_all($note->[0], $note->[2]); $heard++; }
            select undef, undef, undef, 0.1;
        }
    },
    settings => sub {
        my ($first, $second) = (connected(), connected());
        $first->do("SET work_mem = '7MB'");
        $second->do("SET TimeZone = 'Asia/Tokyo'");
        for (1 .. 4) {
            say_all($_->selectrow_array('SHOW work_mem'), $_->selectrow_array('SHOW TimeZone')) for $first, $second;
        }
        $first->do('CREATE TEMP TABLE pl_scratch AS SELECT 5 AS n');
        say_all($first->selectrow_array('SELECT n FROM pl_scratch'));
        $first->do('DROP TABLE pl_scratch');
    },
    asynchronous => sub {
        my $c = connected();
        $c->do('SELECT pg_sleep(0.2)', { pg_async => PG_ASYNC });
        say_all($c->pg_ready);
        say_all($c->pg_result);
        $c->do('SELECT pg_sleep(10)', { pg_async => PG_ASYNC });
        select undef, undef, undef, 0.3;  # a cancel that overtakes its query has no effect
        say_all($c->pg_cancel, $c->state, $c->selectrow_array('SELECT 1'));
        $c->do('SET statement_timeout = 200');
        failing($c, sub { $c->do('SELECT pg_sleep(10)') });
    },
    large_values => sub {
        my $c = connected();
        my $text = 'é' x (4 << 20);
        say_all($c->selectrow_array('SELECT length(?::text), md5(?::text)', undef, $text, $text));
        say_all(length(($c->selectrow_array("SELECT repeat('x', 20 << 20)"))[0]));
        say_all(scalar @{$c->selectall_arrayref("SELECT g, repeat('y', 200) FROM generate_series(1, 30000) g")});
    },
    metadata => sub {
        my $c = connected();
        $c->do('CREATE TABLE pl_described (id serial PRIMARY KEY, label varchar(20) NOT NULL)');
        say_all(map { "$_->[3]:$_->[5]:$_->[10]" } @{$c->column_info(undef, 'public', 'pl_described', undef)->fetchall_arrayref});
        say_all($c->primary_key(undef, 'public', 'pl_described'));
        $c->do("INSERT INTO pl_described (label) VALUES ('x')");
        say_all($c->last_insert_id(undef, 'public', 'pl_described', undef));
    },
);

while (my ($name, $check) = splice @checks, 0, 2) {
    next if @ARGV && !grep { $_ eq $name } @ARGV;
    print "== $name\n";
    local $SIG{ALRM} = sub { die "not done within 20 s\n" };
    alarm 20;
    eval { $check->(); 1 } or print '!! ', (split /\n/, $@)[0], "\n";
    alarm 0;
}
