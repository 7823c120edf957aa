"""Django as applications use it: migrations, ORM, transactions, server-side cursors, binding on the server."""

import datetime
import decimal
import os
import threading

import django
from django.conf import settings

from checks import check, parameters, run, say

LOGIN = parameters()
DATABASE = {"ENGINE": "django.db.backends.postgresql", "NAME": LOGIN["dbname"], "USER": LOGIN["user"], "HOST": LOGIN["host"],
            "PASSWORD": LOGIN["password"], "PORT": LOGIN["port"]}
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    DATABASES={"default": {**DATABASE, "CONN_MAX_AGE": None},
               "binding": {**DATABASE, "OPTIONS": {"server_side_binding": True, "isolation_level": 3}},
               "pooled": {**DATABASE, "OPTIONS": {"pool": {"min_size": 1, "max_size": 4}}}},
    USE_TZ=True, TIME_ZONE="Europe/Berlin", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", SECRET_KEY="x")
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402  (needs settings)
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import DatabaseError, IntegrityError, connection, connections, models, transaction  # noqa: E402


class Item(models.Model):
    name = models.CharField(max_length=50, unique=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True)
    made = models.DateTimeField(null=True)
    data = models.JSONField(default=dict)
    group = models.ForeignKey(Group, null=True, on_delete=models.CASCADE)

    class Meta:
        app_label = "shop"


@check
def migrating():
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Item)
        field = models.IntegerField(default=7)
        field.set_attributes_from_name("stock")
        editor.add_field(Item, field)
        editor.remove_field(Item, field)
    say(sorted(connection.introspection.table_names()))


@check
def objects():
    for alias in connections:
        items = Item.objects.using(alias)
        items.all().delete()
        group = Group.objects.using(alias).get_or_create(name=f"group {alias}")[0]
        items.bulk_create([Item(name=f"é {alias} {n}", price=decimal.Decimal(n), data={"n": n}, group_id=group.pk,
                                made=datetime.datetime(2024, 1, 1, n % 24, tzinfo=datetime.timezone.utc)) for n in range(300)], batch_size=100)
        with transaction.atomic(using=alias):  # in a block: a read that must see what was just written
            say(alias, items.count(), items.filter(data__n__gt=290).order_by("id").values_list("name", "price", "made")[:2])
            say(items.filter(group__name=group.name).aggregate(models.Sum("price"), models.Avg("price")))
            say(items.filter(made__hour=3).count(), items.filter(name__icontains="É").exists(), items.in_bulk([-1]))
            say(items.filter(price__lt=5).update(price=models.F("price") + 1), items.filter(price__lt=3).delete())
            say(sum(item.data["n"] for item in items.iterator(chunk_size=70)))
            say(items.select_related("group").order_by("pk").first().group.name, items.explain()[:3])


@check
def transactions():
    Item.objects.all().delete()
    with transaction.atomic():
        Item.objects.create(name="kept")
        for name in ("new", "kept"):
            try:
                with transaction.atomic():
                    Item.objects.create(name=name)
            except IntegrityError as error:
                say(type(error.__cause__).__name__)
        say(list(Item.objects.order_by("name").values_list("name", flat=True)))
        transaction.on_commit(lambda: say("committed"))
    try:
        with transaction.atomic():
            Item.objects.create(name="undone")
            raise RuntimeError("changed my mind")
    except RuntimeError:
        pass
    with transaction.atomic():
        say(Item.objects.select_for_update().get(name="kept").name, Item.objects.count())
    with transaction.atomic(durable=True):
        item, made = Item.objects.update_or_create(name="kept", defaults={"price": 5})
        say(made, item.price, Item.objects.get_or_create(name="other")[1])


@check
def raw_sql():
    with connection.cursor() as cursor:
        cursor.execute("SET work_mem = '7MB'")
        cursor.execute("SHOW work_mem")
        say(cursor.fetchall())
        cursor.execute("SHOW TimeZone")
        say(cursor.fetchall())
        try:
            cursor.execute("SELECT 1/0")
        except DatabaseError as error:
            say(error)
        cursor.execute("SELECT %s, %s::jsonb", ["é", "{}"])
        say(cursor.fetchall())
        cursor.execute("CREATE TEMP TABLE d_scratch AS SELECT generate_series(1, 5) AS n")
        cursor.execute("SELECT sum(n) FROM d_scratch")
        say(cursor.fetchall())
        cursor.execute("DROP TABLE d_scratch")
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SHOW work_mem")
        say(cursor.fetchall())


@check
def sessions_and_users():
    with transaction.atomic():
        user = User.objects.create_user("someone", "a@b.de", "password")
        say(user.check_password("password"), User.objects.get(username="someone").email)
        session = SessionStore()
        session["seen"] = 5
        session.save()
        say(SessionStore(session_key=session.session_key)["seen"])


@check
def concurrent_threads():
    Item.objects.all().delete()
    Item.objects.create(name="counter", data={"count": 0})

    def work():
        for _ in range(15):
            with transaction.atomic(using="pooled"):
                item = Item.objects.using("pooled").select_for_update().get(name="counter")
                item.data["count"] += 1
                item.save()
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction.atomic():
        say(Item.objects.select_for_update().get(name="counter").data)


if __name__ == "__main__":
    run()
    os._exit(0)
