"""A web shop's requests with Django: in autocommit, its default, or each request in a transaction (ATOMIC_REQUESTS)."""

import random
import sys
import threading
import time
import urllib.parse

import django
from django.conf import settings

URL = urllib.parse.urlsplit(sys.argv[1])
settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "HOST": URL.hostname, "PORT": URL.port, "USER": URL.username,
    "PASSWORD": URL.password, "NAME": URL.path[1:], "CONN_MAX_AGE": None}}, INSTALLED_APPS=[], USE_TZ=True)
django.setup()

from django.db import connection, models, transaction  # noqa: E402  (needs the settings)


class Author(models.Model):
    name = models.TextField()

    class Meta:
        app_label, db_table = "shop", "author"


class Book(models.Model):
    title = models.TextField()
    stock = models.IntegerField()
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")

    class Meta:
        app_label, db_table = "shop", "book"


def page(rng):
    author = Author.objects.get(pk=rng.randrange(1, 101))
    titles = [book.title for book in author.books.all()]
    Book.objects.filter(stock__gt=0).count()
    return titles, list(Book.objects.select_related("author").order_by("-id")[:10])


def order(rng):
    with transaction.atomic():
        book = Book.objects.select_for_update().get(pk=rng.randrange(1, 1001))
        book.stock -= 1
        book.save(update_fields=["stock"])


def client(requests, seed, style):
    rng = random.Random(seed)
    for _ in range(requests):
        request = order if rng.random() < 0.1 else page
        if style == "blocks":
            with transaction.atomic():
                request(rng)
        else:
            request(rng)
        time.sleep(0.02)
    connection.close()


def main():
    threads = [threading.Thread(target=client, args=(int(sys.argv[2]) // 8, seed, sys.argv[3])) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
