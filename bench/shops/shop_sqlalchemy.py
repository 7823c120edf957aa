"""A web shop's requests with SQLAlchemy, in its default style: a transaction begins with the first statement."""

import random
import sys
import threading
import time

import sqlalchemy as sa
from sqlalchemy import orm


class Base(orm.DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    books: orm.Mapped[list["Book"]] = orm.relationship(back_populates="author")


class Book(Base):
    __tablename__ = "book"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str]
    stock: orm.Mapped[int]
    author_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("author.id"))
    author: orm.Mapped[Author] = orm.relationship(back_populates="books")


def page(session, rng):
    author = session.get(Author, rng.randrange(1, 101))
    titles = [book.title for book in author.books]
    session.scalar(sa.select(sa.func.count()).select_from(Book).where(Book.stock > 0))
    return titles, session.scalars(sa.select(Book).options(orm.joinedload(Book.author)).order_by(Book.id.desc()).limit(10)).all()


def order(session, rng):
    book = session.get(Book, rng.randrange(1, 1001))
    book.stock -= 1
    session.commit()


def client(engine, requests, seed):
    rng = random.Random(seed)
    for _ in range(requests):
        with orm.Session(engine) as session:
            (order if rng.random() < 0.1 else page)(session, rng)
        time.sleep(0.02)


def main():
    url, requests, style = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    options = {"isolation_level": "AUTOCOMMIT"} if style == "autocommit" else {}
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), pool_size=8, **options)
    threads = [threading.Thread(target=client, args=(engine, requests // 8, seed)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
