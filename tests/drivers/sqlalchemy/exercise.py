"""SQLAlchemy as applications use it, over psycopg 3, psycopg2 and asyncpg: ORM, Core, reflection, pools."""

import asyncio
import concurrent.futures
import datetime
import decimal

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext import asyncio as sa_async

from checks import check, parameters, run, say


class Base(orm.DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(50), unique=True)
    born: orm.Mapped[datetime.date | None]
    tags: orm.Mapped[list] = orm.mapped_column(postgresql.ARRAY(sa.Text), default=list)
    data: orm.Mapped[dict] = orm.mapped_column(postgresql.JSONB, default=dict)
    books: orm.Mapped[list["Book"]] = orm.relationship(back_populates="author", cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "book"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str]
    price: orm.Mapped[decimal.Decimal] = orm.mapped_column(sa.Numeric(8, 2))
    author_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("author.id"))
    author: orm.Mapped[Author] = orm.relationship(back_populates="books")


def url(driver):
    login = parameters()
    return sa.URL.create(f"postgresql+{driver}", login["user"], login["password"], login["host"], login["port"], login["dbname"])


def on_both(function):
    """Registers a check for each of the two synchronous drivers."""
    for driver in ("psycopg", "psycopg2"):
        def one(driver=driver):
            engine = sa.create_engine(url(driver))
            try:
                Base.metadata.drop_all(engine)
                Base.metadata.create_all(engine)
                function(engine)
            finally:
                engine.dispose()
        one.__name__ = f"{function.__name__}_{driver}"
        check(one)


def fill(engine, authors=20):
    with orm.Session(engine) as session, session.begin():
        for n in range(authors):
            session.add(Author(name=f"é {n}", born=datetime.date(1900 + n, 1, 1), tags=[str(n), "x"], data={"n": n},
                               books=[Book(title=f"title {n} {m}", price=decimal.Decimal("1.50") * m) for m in range(5)]))


@on_both
def objects(engine):
    fill(engine)
    with orm.Session(engine) as session:
        author = session.scalars(sa.select(Author).where(Author.name == "é 3")).one()
        say(author.id, author.tags, author.data, author.born, [book.title for book in author.books])
        author.data = {"changed": [1, None]}
        del author.books[0]
        session.commit()
        say(author.data, len(author.books))
        query = sa.select(Author.name, sa.func.sum(Book.price)).join(Book).group_by(Author.name).order_by(Author.name).limit(3)
        say(session.execute(query).all())
        say(len(session.scalars(sa.select(Author).options(orm.selectinload(Author.books))).all()))
        say(session.scalar(sa.select(sa.func.count()).where(Author.tags.contains(["x"]))))


@on_both
def errors_and_savepoints(engine):
    fill(engine, 2)
    with orm.Session(engine) as session:
        session.add(Author(name="é 0"))
        try:
            session.commit()
        except sa.exc.IntegrityError as error:
            say(type(error.orig).__name__)
        session.rollback()
        with session.begin():
            for name in ("new", "é 1", "newer"):
                try:
                    with session.begin_nested():
                        session.add(Author(name=name))
                except sa.exc.IntegrityError:
                    say("again", name)
        say(session.scalars(sa.select(Author.name).order_by(Author.id)).all())


@on_both
def many_rows(engine):
    fill(engine, 2)
    with engine.begin() as client:
        ids = client.execute(sa.insert(Book).returning(Book.id, sort_by_parameter_order=True),
                             [{"title": str(n), "price": n, "author_id": 1} for n in range(2500)]).scalars().all()
        say(len(ids), ids == sorted(ids))
        streamed = client.execute(sa.select(Book.price), execution_options={"yield_per": 100})
        say(sum(streamed.scalars()))
        upsert = postgresql.insert(Author).values(id=1, name="upserted")
        say(client.execute(upsert.on_conflict_do_update(index_elements=["id"], set_={"name": "upserted"}).returning(Author.name)).all())


@on_both
def isolation_levels(engine):
    for level in ("AUTOCOMMIT", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"):
        with engine.connect().execution_options(isolation_level=level) as client:
            say(level, client.scalar(sa.text("SHOW transaction_isolation")), client.get_isolation_level())
    with engine.connect().execution_options(postgresql_readonly=True, isolation_level="SERIALIZABLE") as client:
        say(client.scalar(sa.text("SHOW transaction_read_only")), client.scalar(sa.select(sa.func.count(Author.id))))


@on_both
def reflection(engine):
    inspector = sa.inspect(engine)
    say(sorted(inspector.get_table_names()), [(c["name"], str(c["type"])) for c in inspector.get_columns("author")])
    say(inspector.get_foreign_keys("book")[0]["referred_table"], inspector.get_unique_constraints("author")[0]["column_names"])
    table = sa.Table("book", sa.MetaData(), autoload_with=engine)
    say([column.name for column in table.columns])


@on_both
def two_phase_commit(engine):
    with engine.connect() as client:
        twophase = client.begin_twophase()
        client.execute(sa.insert(Author).values(name="two", tags=[], data={}))
        twophase.prepare()
        twophase.commit()
    with engine.connect() as client:
        say(client.scalar(sa.select(sa.func.count(Author.id))))


@on_both
def concurrent_sessions(engine):
    fill(engine, 8)

    def work(number):
        for n in range(20):
            with orm.Session(engine) as session, session.begin():
                author = session.get(Author, number, with_for_update=True)
                author.data = {"count": author.data.get("count", 0) + 1}

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        list(threads.map(work, [n % 4 + 1 for n in range(8)]))
    with orm.Session(engine) as session, session.begin():
        session.execute(sa.text("SET LOCAL work_mem = '5MB'"))
        say(session.execute(sa.text("SELECT id, data FROM author ORDER BY id LIMIT 4 FOR UPDATE")).all())


@on_both
def settings_by_event(engine):
    sa.event.listen(engine, "connect", lambda client, _: client.cursor().execute("SET TIME ZONE 'Asia/Tokyo'") and None)
    for _ in range(4):
        with engine.connect() as client:
            say(client.scalar(sa.text("SHOW TimeZone")))


@check
async def asyncpg():
    engine = sa_async.create_async_engine(url("asyncpg"), pool_size=4)
    async with engine.begin() as client:
        await client.run_sync(Base.metadata.drop_all)
        await client.run_sync(Base.metadata.create_all)
    sessions = sa_async.async_sessionmaker(engine)

    async def work(number):
        for n in range(10):
            async with sessions() as session, session.begin():
                session.add(Author(name=f"{number} {n}", books=[Book(title="x", price=1)]))

    await asyncio.gather(*(work(number) for number in range(8)))
    async with sessions() as session, session.begin():
        authors = (await session.scalars(sa.select(Author).options(orm.selectinload(Author.books)).with_for_update())).all()
        say(len(authors), sum(len(author.books) for author in authors))
        rows = await session.stream(sa.select(Book.id))
        say(len([row async for row in rows]))
    await engine.dispose()


if __name__ == "__main__":
    run()
